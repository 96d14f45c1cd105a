# Writes OUT: the codes of CSV (regions.csv), sorted, each once, as rows of a C table.
# The codes of residence permits (81, 82, 83) are left out: regions.c knows them by rule.
file(READ ${CSV} text)
string(REGEX MATCHALL "\n[0-9][0-9][0-9][0-9][0-9][0-9]," codes "${text}")
list(TRANSFORM codes REPLACE "[\n,]" "")
list(REMOVE_DUPLICATES codes)
list(FILTER codes EXCLUDE REGEX "^8[123]0000$")
list(SORT codes)
list(LENGTH codes count)
if(count LESS 6000)
    message(FATAL_ERROR "${CSV}: only ${count} county codes found")
endif()
# No code begins with 0, so none is read as octal.
list(JOIN codes ",\n" rows)
file(WRITE ${OUT} "/* generated from regions.csv (sources and licence: NOTICE), do not edit */\n${rows}\n")
