# What the toolchain files of foreign Linux machines share: libraries come from ACD_DEVICE_ROOT alone, programs are
# linked statically, so that they run anywhere.
set(CMAKE_C_COMPILER ${ACD_TRIPLET}-gcc)
set(CMAKE_LIBRARY_ARCHITECTURE ${ACD_TRIPLET})
set(CMAKE_CROSSCOMPILING_EMULATOR ${ACD_QEMU})
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES ACD_DEVICE_ROOT)
set(ACD_DEVICE_ROOT "$ENV{ACD_DEVICE_ROOT}" CACHE PATH "Where the foreign libraries were unpacked")
set(CMAKE_FIND_ROOT_PATH "${ACD_DEVICE_ROOT}")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(OPENSSL_USE_STATIC_LIBS TRUE)
set(ENV{PKG_CONFIG_SYSROOT_DIR} "${ACD_DEVICE_ROOT}")
set(ENV{PKG_CONFIG_LIBDIR} "${ACD_DEVICE_ROOT}/usr/lib/${ACD_TRIPLET}/pkgconfig")
set(CMAKE_EXE_LINKER_FLAGS_INIT "-static -Wl,--gc-sections")
# 64: file sizes and inode numbers, on machines of 32 bits, too.
set(CMAKE_C_FLAGS_INIT "-D_FILE_OFFSET_BITS=64 -ffunction-sections -fdata-sections")
string(APPEND CMAKE_C_FLAGS_INIT " -isystem ${ACD_DEVICE_ROOT}/usr/include/${ACD_TRIPLET}")
