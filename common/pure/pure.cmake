# The table of county codes is made from data/regions.csv in the build tree.
set(cf_regions ${CMAKE_BINARY_DIR}/gen/pure/regions_table.inc)
set(cf_regions_csv ${CMAKE_CURRENT_LIST_DIR}/data/regions.csv)
add_custom_command(
    OUTPUT ${cf_regions}
    COMMAND ${CMAKE_COMMAND} -DOUT=${cf_regions} -DCSV=${cf_regions_csv}
            -P ${CMAKE_SOURCE_DIR}/cmake/regions.cmake
    DEPENDS ${cf_regions_csv} ${CMAKE_SOURCE_DIR}/cmake/regions.cmake
    VERBATIM)
target_sources(cf_pure PRIVATE ${cf_regions})
