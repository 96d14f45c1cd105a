# cf_embed(TARGET OUTPUT_NAME FILE...): embeds text files as C strings in gen/embed/OUTPUT_NAME.h.
# Each FILE `dir/load_rows.sql` becomes `static const char NAME_load_rows[]`, NAME = OUTPUT_NAME.
function(cf_embed target name)
    set(out ${CMAKE_BINARY_DIR}/gen/embed/${name}.h)
    add_custom_command(
        OUTPUT ${out}
        COMMAND ${CMAKE_COMMAND} -DOUT=${out} -DNAME=${name} "-DFILES=${ARGN}"
                -P ${CMAKE_SOURCE_DIR}/cmake/embed_run.cmake
        DEPENDS ${ARGN} ${CMAKE_SOURCE_DIR}/cmake/embed_run.cmake
        VERBATIM)
    add_custom_target(embed_${name} DEPENDS ${out})
    add_dependencies(${target} embed_${name})
endfunction()
