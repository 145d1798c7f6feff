# Compiles the channel and the messages as for a board; prints their size and a channel's RAM:
# cmake -DSOURCE=... -DOUT=... -P
file(GLOB sources ${SOURCE}/agent/link/*.c)
file(MAKE_DIRECTORY ${OUT})
set(flags -std=c11 -mcpu=cortex-m4 -mthumb -Os -ffreestanding -Wall -Wextra -Wshadow -Wconversion -Werror
          -I${SOURCE}/agent/link/include -I${SOURCE}/bootloader/include)
foreach(source ${sources})
    get_filename_component(name ${source} NAME_WE)
    execute_process(COMMAND arm-none-eabi-gcc ${flags} -c ${source} -o ${OUT}/${name}.o
                    COMMAND_ERROR_IS_FATAL ANY)
    list(APPEND objects ${OUT}/${name}.o)
endforeach()
execute_process(COMMAND arm-none-eabi-size -t ${objects} COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND arm-none-eabi-nm -u ${objects} OUTPUT_VARIABLE names
                COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL " U [A-Za-z_][A-Za-z_0-9]*" undefined "${names}")
foreach(name ${undefined})
    if(NOT name MATCHES "^ U (link_|boot_crc32$|mem(cpy|move|set|cmp)$)")
        message(FATAL_ERROR "the OTA line needs ${name}")
    endif()
endforeach()
# A channel, as the linker would see it.
file(WRITE ${OUT}/ram.c "#include \"link/channel_state.h\"\nstruct link_channel channel;\n"
     "_Static_assert(sizeof(struct link_channel) < 24 * 1024, \"a channel's RAM\");\n")
execute_process(COMMAND arm-none-eabi-gcc ${flags} -c ${OUT}/ram.c -o ${OUT}/ram.o
                COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND arm-none-eabi-nm -S ${OUT}/ram.o OUTPUT_VARIABLE symbol COMMAND_ERROR_IS_FATAL ANY)
string(REGEX REPLACE "^[0-9a-f]+ ([0-9a-f]+) .*" "\\1" bytes "${symbol}")
math(EXPR bytes "0x${bytes}")
message("struct link_channel: ${bytes} bytes of RAM")
