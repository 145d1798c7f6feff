# Compiles the agent's core as for a board and prints its size: cmake -DSOURCE=... -DOUT=... -P
file(GLOB sources ${SOURCE}/agent/core/*.c)
file(MAKE_DIRECTORY ${OUT})
# jsmn is one header in /usr/include, where the host's own headers are too: only it is taken from there.
file(COPY ${JSMN} DESTINATION ${OUT}/include)
foreach(source ${sources})
    get_filename_component(name ${source} NAME_WE)
    execute_process(
        COMMAND arm-none-eabi-gcc -std=c11 -mcpu=cortex-m4 -mthumb -Os -ffreestanding -Wall -Wextra
                -Werror -I${SOURCE}/agent/include -I${SOURCE}/bootloader/include -I${OUT}/include
                -c ${source} -o ${OUT}/${name}.o
        COMMAND_ERROR_IS_FATAL ANY)
    list(APPEND objects ${OUT}/${name}.o)
endforeach()
execute_process(COMMAND arm-none-eabi-size -t ${objects} COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND arm-none-eabi-nm -u ${objects} OUTPUT_VARIABLE names
                COMMAND_ERROR_IS_FATAL ANY)
# Nothing but memory functions from outside of agent and bootloader (and the compiler's own division).
string(REGEX MATCHALL " U [A-Za-z_][A-Za-z_0-9]*" undefined "${names}")
foreach(name ${undefined})
    if(NOT name MATCHES "^ U (agent_|boot_|mem(cpy|move|set|cmp)$|__aeabi_)")
        message(FATAL_ERROR "the core needs ${name}")
    endif()
endforeach()
