# Writes OUT: one byte array a file, zero-terminated; see embed.cmake.
set(text "/* generated from ${NAME}, do not edit */\n#pragma once\n")
foreach(file IN LISTS FILES)
    get_filename_component(stem ${file} NAME_WE)
    string(MAKE_C_IDENTIFIER "${NAME}_${stem}" symbol)
    file(READ ${file} hex HEX)
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
    string(REGEX REPLACE "(0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,)" "\\1\n" bytes "${bytes}")
    string(APPEND text "__attribute__((unused)) static const unsigned char ${symbol}_bytes[] = {\n${bytes}0x00};\n"
        "#define ${symbol} ((const char *)${symbol}_bytes)\n#define ${symbol}_len (sizeof ${symbol}_bytes - 1)\n")
endforeach()
file(WRITE ${OUT} "${text}")
