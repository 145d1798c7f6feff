# Programs for the board, compiled beside the host's: a second compiler, its own flags, nothing of the
# host's (sanitizers, coverage). Included by the root CMakeLists.txt, so every room may call
#
#   brickyard_board_library(NAME SOURCES ... [INCLUDES ...] [SYSTEM ...] [OPTIONS ...] [DEFINES ...])
#   brickyard_board_program(NAME SOURCES ... [LINKER_SCRIPT rom.ld|app.ld|PATH] [LINK LIBRARY ...]
#                           [INCLUDES ...] [DEFINES A=1 ...])
#
# A library is build/board/lib/NAME.a, for LINK of a program. A program is build/board/NAME.elf and
# NAME.bin, target board_NAME, part of `all`. Every program has the hardware library, the bootloader's
# core and BearSSL; the linker takes what is used. Warnings are errors.
#
# Without arm-none-eabi-gcc or BearSSL's source (bootloader/ports/bearssl/fetch.sh) BRICKYARD_BOARD is
# OFF and both functions do nothing; say if(BRICKYARD_BOARD) around tests that need a program.
set(BRICKYARD_BEARSSL_SOURCE ${CMAKE_SOURCE_DIR}/build-bearssl/bearssl-0.6
    CACHE PATH "BearSSL's source for the board")
find_program(BOARD_GCC arm-none-eabi-gcc)
find_program(BOARD_OBJCOPY arm-none-eabi-objcopy)
find_program(BOARD_AR arm-none-eabi-ar)

set(BRICKYARD_BOARD OFF)
if(BRICKYARD_FUZZ)
    message(STATUS "board: left out, this build has fuzzers only")
elseif(NOT BOARD_GCC OR NOT BOARD_OBJCOPY OR NOT BOARD_AR)
    message(STATUS "board: left out, there is no arm-none-eabi-gcc")
elseif(NOT EXISTS ${BRICKYARD_BEARSSL_SOURCE}/src/inner.h)
    message(STATUS "board: left out, BearSSL's source is not there (bootloader/ports/bearssl/fetch.sh)")
else()
    set(BRICKYARD_BOARD ON)
endif()

set(BOARD_PORT_DIR ${CMAKE_CURRENT_LIST_DIR})
set(BOARD_DIR ${CMAKE_BINARY_DIR}/board)
set(BOARD_MACHINE -mcpu=cortex-m4 -mthumb)
# One program, whichever folder it is built in: no path of the build gets into it.
set(BOARD_C_FLAGS -std=c11 ${BOARD_MACHINE} -Os -g -ffreestanding -ffunction-sections -fdata-sections
    -fno-common -ffile-prefix-map=${CMAKE_SOURCE_DIR}/= -ffile-prefix-map=${CMAKE_BINARY_DIR}/=)
set(BOARD_WARNINGS -Wall -Wextra -Wshadow -Wconversion -Werror)
set(BOARD_INCLUDES ${CMAKE_SOURCE_DIR}/bootloader/include
    ${CMAKE_SOURCE_DIR}/bootloader/ports/ast1030/include
    ${CMAKE_SOURCE_DIR}/bootloader/ports/der/include
    ${CMAKE_SOURCE_DIR}/bootloader/ports/bearssl/include)

# Compiles SOURCES for `owner` into object files, whose paths are put into `out`.
function(board_objects out owner)
    cmake_parse_arguments(A "" "" "SOURCES;INCLUDES;SYSTEM;OPTIONS;DEFINES" ${ARGN})
    list(TRANSFORM A_INCLUDES PREPEND -I)
    list(TRANSFORM A_SYSTEM PREPEND -isystem)
    list(TRANSFORM A_DEFINES PREPEND -D)
    foreach(source ${A_SOURCES})
        cmake_path(ABSOLUTE_PATH source BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR} NORMALIZE)
        cmake_path(RELATIVE_PATH source BASE_DIRECTORY ${CMAKE_SOURCE_DIR} OUTPUT_VARIABLE name)
        set(object ${BOARD_DIR}/obj/${owner}/${name}.o)
        cmake_path(GET object PARENT_PATH folder)
        file(MAKE_DIRECTORY ${folder})
        add_custom_command(OUTPUT ${object}
            COMMAND ${CMAKE_C_COMPILER_LAUNCHER} ${BOARD_GCC} ${BOARD_C_FLAGS} ${A_OPTIONS}
                    ${A_INCLUDES} ${A_SYSTEM} ${A_DEFINES} -MMD -MF ${object}.d -c ${source} -o ${object}
            DEPENDS ${source} DEPFILE ${object}.d COMMENT "board: ${name}" VERBATIM)
        list(APPEND objects ${object})
    endforeach()
    set(${out} ${objects} PARENT_SCOPE)
endfunction()

function(brickyard_board_library name)
    if(NOT BRICKYARD_BOARD)
        return()
    endif()
    cmake_parse_arguments(A "" "" "SOURCES;INCLUDES;SYSTEM;OPTIONS;DEFINES" ${ARGN})
    if(NOT A_OPTIONS)
        set(A_OPTIONS ${BOARD_WARNINGS})
    endif()
    board_objects(objects lib${name} SOURCES ${A_SOURCES} INCLUDES ${BOARD_INCLUDES} ${A_INCLUDES}
                  SYSTEM ${BRICKYARD_BEARSSL_SOURCE}/inc ${A_SYSTEM} OPTIONS ${A_OPTIONS}
                  DEFINES ${A_DEFINES})
    set(archive ${BOARD_DIR}/lib/${name}.a)
    file(MAKE_DIRECTORY ${BOARD_DIR}/lib)
    add_custom_command(OUTPUT ${archive}
        COMMAND ${CMAKE_COMMAND} -E rm -f ${archive}
        COMMAND ${BOARD_AR} rcsD ${archive} ${objects}
        DEPENDS ${objects} COMMENT "board: lib/${name}.a" VERBATIM)
    add_custom_target(board_lib_${name} ALL DEPENDS ${archive})
endfunction()

function(brickyard_board_program name)
    if(NOT BRICKYARD_BOARD)
        return()
    endif()
    cmake_parse_arguments(A "" "LINKER_SCRIPT" "SOURCES;LINK;INCLUDES;SYSTEM;DEFINES" ${ARGN})
    if(NOT A_LINKER_SCRIPT)
        set(A_LINKER_SCRIPT app.ld)
    endif()
    if(A_LINKER_SCRIPT STREQUAL "rom.ld" OR A_LINKER_SCRIPT STREQUAL "app.ld")
        set(A_LINKER_SCRIPT ${BOARD_PORT_DIR}/${A_LINKER_SCRIPT})
    endif()
    # Start-up is an object of the program and in no library: nothing calls it, the linker would not
    # take it.
    board_objects(objects ${name} SOURCES ${BOARD_PORT_DIR}/hal/start.c ${A_SOURCES}
                  INCLUDES ${BOARD_INCLUDES} ${A_INCLUDES}
                  SYSTEM ${BRICKYARD_BEARSSL_SOURCE}/inc ${A_SYSTEM}
                  OPTIONS ${BOARD_WARNINGS} DEFINES ${A_DEFINES})
    foreach(library ${A_LINK} board_port bearssl)
        list(APPEND archives ${BOARD_DIR}/lib/${library}.a)
        list(APPEND libraries board_lib_${library})
    endforeach()
    set(elf ${BOARD_DIR}/${name}.elf)
    add_custom_command(OUTPUT ${elf} ${BOARD_DIR}/${name}.bin
        COMMAND ${BOARD_GCC} ${BOARD_MACHINE} -nostartfiles --specs=nano.specs -Wl,--gc-sections
                -Wl,--no-warn-rwx-segments -Wl,--fatal-warnings -Wl,-Map=${BOARD_DIR}/${name}.map
                -T ${A_LINKER_SCRIPT} ${objects} -Wl,--start-group ${archives} -Wl,--end-group
                -o ${elf}
        COMMAND ${BOARD_OBJCOPY} -O binary ${elf} ${BOARD_DIR}/${name}.bin
        DEPENDS ${objects} ${archives} ${libraries} ${A_LINKER_SCRIPT}
        COMMENT "board: ${name}.elf" VERBATIM)
    add_custom_target(board_${name} ALL DEPENDS ${elf})
endfunction()
