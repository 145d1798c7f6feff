# Cross-building for the Linux board: Debian's aarch64 compiler, with the libc and the libraries that
# fetch.sh put into build-linux/root. Nothing of the machine's own libraries is found.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)

get_filename_component(board_root ${CMAKE_CURRENT_LIST_DIR}/../../build-linux/root ABSOLUTE)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(CMAKE_SYSROOT ${board_root})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

set(ENV{PKG_CONFIG_DIR} "")
set(ENV{PKG_CONFIG_LIBDIR}
    ${board_root}/usr/lib/aarch64-linux-gnu/pkgconfig:${board_root}/usr/share/pkgconfig)
set(ENV{PKG_CONFIG_SYSROOT_DIR} ${board_root})

# What the libraries need in turn: Debian's libc lies in /lib, outside of the search path for those.
set(CMAKE_EXE_LINKER_FLAGS_INIT "-Wl,-rpath-link,${board_root}/lib/aarch64-linux-gnu")
