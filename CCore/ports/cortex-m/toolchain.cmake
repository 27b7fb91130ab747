# Arm Cortex-M without an operating system, with Debian's arm-none-eabi compiler and newlib. Built for the Cortex-M4; what
# is built runs on qemu's mps2-an386. ACD_DEVICE_ROOT: where libsodium, jansson and OpenSSL were installed.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR arm)
set(CMAKE_C_COMPILER arm-none-eabi-gcc)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(CMAKE_CROSSCOMPILING_EMULATOR "${CMAKE_CURRENT_LIST_DIR}/run.sh")
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES ACD_DEVICE_ROOT)
set(ACD_DEVICE_ROOT "$ENV{ACD_DEVICE_ROOT}" CACHE PATH "Where the device's libraries are installed")
set(CMAKE_FIND_ROOT_PATH "${ACD_DEVICE_ROOT}")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(OPENSSL_ROOT_DIR "${ACD_DEVICE_ROOT}")
set(ENV{PKG_CONFIG_LIBDIR} "${ACD_DEVICE_ROOT}/lib/pkgconfig")
set(ACD_VERIFIER_TEXT_MAX 24576) # code and constants of the receipt verifier beyond libsodium's
# Each function in a section of its own, so that the linker leaves out what a program does not call.
set(CMAKE_C_FLAGS_INIT "-mcpu=cortex-m4 -mthumb -ffunction-sections -fdata-sections")
set(CMAKE_EXE_LINKER_FLAGS_INIT "-Wl,--gc-sections")
