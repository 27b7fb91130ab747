# Linux on s390x, 64-bit and big-endian, with Debian's cross compiler; what is built runs in qemu's user mode.
# ACD_DEVICE_ROOT: the folder in which the foreign libraries were unpacked.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR s390x)
set(ACD_TRIPLET s390x-linux-gnu)
set(ACD_QEMU qemu-s390x-static)
include("${CMAKE_CURRENT_LIST_DIR}/../linux.cmake")
