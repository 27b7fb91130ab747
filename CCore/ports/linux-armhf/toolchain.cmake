# Linux on 32-bit ARM with hardware floating point (Debian's armhf), with Debian's cross compiler; what is built runs in
# qemu's user mode. ACD_DEVICE_ROOT: the folder in which the foreign libraries were unpacked.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR arm)
set(ACD_TRIPLET arm-linux-gnueabihf)
set(ACD_QEMU qemu-arm-static)
include("${CMAKE_CURRENT_LIST_DIR}/../linux.cmake")
