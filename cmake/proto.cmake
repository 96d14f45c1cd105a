# cf_proto(TARGET FILE...): protobuf-c for the contract in proto/, generated into the build tree.
find_program(PROTOC_C protoc-c REQUIRED)
function(cf_proto target)
    set(gen ${CMAKE_BINARY_DIR}/gen-proto)
    file(MAKE_DIRECTORY ${gen})
    foreach(file ${ARGN})
        string(REGEX REPLACE "\\.proto$" "" stem ${file})
        list(APPEND sources ${gen}/${stem}.pb-c.c)
        add_custom_command(
            OUTPUT ${gen}/${stem}.pb-c.c ${gen}/${stem}.pb-c.h
            COMMAND ${PROTOC_C} --proto_path=${CMAKE_CURRENT_SOURCE_DIR} --c_out=${gen} ${file}
            DEPENDS ${ARGN}
            WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}
            VERBATIM)
    endforeach()
    add_library(${target} STATIC ${sources})
    # Generated code is not ours to warn about.
    target_compile_options(${target} PRIVATE -w)
    target_include_directories(${target} SYSTEM PUBLIC ${gen})
    target_link_libraries(${target} PUBLIC PkgConfig::PBC)
endfunction()
