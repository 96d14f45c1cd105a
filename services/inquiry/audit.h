/* audit -- tells on audit.events who looked at what, without making the answer wait.
 *
 * Shapes   records go to Kafka as they come; while Kafka is away they stay in memory and are sent
 *          again under the same id
 * Owns     text is copied
 * Errors   when the queue is full no question may be answered: ask inquiry_auditor_room() first
 * Limits   what is still in memory when the process is killed is lost; an orderly end waits for
 *          Kafka as long as the frame's flush does
 * Threads  the front thread
 */
#pragma once
#include "common/io/app.h"
#include "services/inquiry/store.h"

struct inquiry_auditor;

void inquiry_auditor_free(struct inquiry_auditor *q);
struct inquiry_auditor *inquiry_auditor_new(struct cf_app *app, size_t max)
    CF_FREED_BY(inquiry_auditor_free);
/* From here on nothing is sent: the producer is gone. */
void inquiry_auditor_close(struct inquiry_auditor *q);
bool inquiry_auditor_room(const struct inquiry_auditor *q);
/* Of a request: who, why, with what outcome. holder NULL: nobody was found. */
void inquiry_auditor_add(struct inquiry_auditor *q, struct cf_request *req, const char *scope,
                         const char *action, const char *outcome, const struct cf_key *holder);
