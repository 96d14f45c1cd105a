# Warnings, sanitizers and hardening for every target of ours.
add_compile_definitions(_GNU_SOURCE)
add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wformat=2 -Wundef -Wvla
    -Wcast-qual -Wpointer-arith -Wwrite-strings -Wstrict-prototypes -Wmissing-prototypes
    -Wnull-dereference -Wimplicit-fallthrough -Wdouble-promotion)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-Wduplicated-cond -Wlogical-op -Wformat-signedness -Wjump-misses-init)
endif()
if(CMAKE_C_COMPILER_ID MATCHES "Clang")
    # The macros of rdkafka.h (RD_KAFKA_V_*) expand to statement expressions in our code.
    add_compile_options(-Wno-gnu-statement-expression)
endif()
if(CARDFLOW_WERROR)
    add_compile_options(-Werror)
endif()
if(CARDFLOW_TEST_HOOKS)
    add_compile_definitions(CARDFLOW_TEST_HOOKS=1)
endif()
if(CARDFLOW_SANITIZE)
    add_compile_options(-fsanitize=${CARDFLOW_SANITIZE} -fno-omit-frame-pointer
        -fno-sanitize-recover=all)
    add_link_options(-fsanitize=${CARDFLOW_SANITIZE})
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release" OR CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
    add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fPIE)
    add_link_options(-pie -Wl,-z,relro,-z,now)
endif()
