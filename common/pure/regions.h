/* regions -- codes of counties (GB/T 2260, present and abolished) and of countries.
 *
 * Shapes   sorted constant tables; the county table is generated from data/regions.csv at build
 * Source   see NOTICE; ISO 3166-1
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A county code that was in force at any time; not the prefixes 81, 82 and 83. */
bool cf_region_known(uint32_t code);
/* 810000, 820000 or 830000: residents of Hong Kong, Macau, Taiwan. */
bool cf_region_hmt(uint32_t code);
/* The first two digits of a county code of the mainland. */
bool cf_province_known(uint32_t province);
/* The first four digits of a county code, or a province followed by 00. */
bool cf_issuing_area_known(uint32_t area);
size_t cf_region_count(void);

/* ISO 3166-1 numeric. */
bool cf_country_numeric_known(uint32_t code);
/* ISO 3166-1 alpha-3, three upper-case letters. */
bool cf_country_alpha3_known(const char code[3]);
