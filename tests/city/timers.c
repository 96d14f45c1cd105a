#include "tests/city/timers.h"

#include "services/complaint-handling/codec.h"
#include "services/intake/codec.h"
#include "services/notification/codec.h"
#include "services/photo-fetch/codec.h"
#include "services/production/codec.h"

static const struct {
    enum sim_service service;
    uint16_t kind;
    bool timer;
} kinds[] = {
    {SIM_INTAKE,       INTAKE_WORK_TIMER,      true },
    {SIM_INTAKE,       INTAKE_WORK_SPLIT,      false},
    {SIM_INTAKE,       INTAKE_WORK_UNIT,       false},
    {SIM_PHOTO_FETCH,  PHOTO_WORK_FETCH,       false},
    {SIM_PHOTO_FETCH,  PHOTO_WORK_EXPIRE,      true },
    {SIM_PRODUCTION,   PRODUCTION_WORK_HOLDER, true },
    {SIM_PRODUCTION,   PRODUCTION_WORK_BANK,   true },
    {SIM_PRODUCTION,   PRODUCTION_WORK_NOTICE, true },
    {SIM_NOTIFICATION, NOTIFY_WORK_SMS,        false},
    {SIM_NOTIFICATION, NOTIFY_WORK_REMIND,     true },
    {SIM_COMPLAINT,    COMPLAINT_WORK_TIMER,   true },
    {SIM_COMPLAINT,    COMPLAINT_WORK_ASK,     false},
};

bool timers_is_timer(enum sim_service service, uint16_t kind)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].service == service && kinds[i].kind == kind) return kinds[i].timer;
    CF_BUG("a kind of work that timers.c does not name");
}
