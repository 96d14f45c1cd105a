/* ops_inside -- what the files of ops share; nobody else includes it. */
#pragma once
#include "tests/city/ops.h"

enum { OPS_PERSONS = 2 };

/* By document: the first, the newer. */
extern struct city_person ops_persons[OPS_PERSONS][2];
extern bool ops_has_card[OPS_PERSONS]; /* one was collected, or imported */

/* Ids do not depend on how many there were before, but on the operation's own chance. */
void ops_id(uint8_t id[16]);
bool ops_one_in(uint32_t n);
uint32_t ops_person(void);
struct cf_str ops_bank(void);
enum cf_channel ops_channel(void);

void ops_bank_next(void);
void ops_fetch(void);
void ops_bank_wrong(void);
void ops_operate(void);
void ops_import_card(void);
