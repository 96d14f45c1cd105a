/* xml -- events of an XML document that comes in blocks, under limits; expat behind it.
 *
 * Names come without prefix. A handler may call cf_xml_pause(): the events that follow then wait
 * for cf_xml_go_on().
 *
 * Owns     text handed to handlers lives during the call only
 * Limits   CF_XML_MEMORY bytes of the parser's own (depth, names, one unfinished tag); no document
 *          type declaration, so no entities but the five of XML
 * Errors   CF_XML_BROKEN: not well-formed, or beyond a limit
 * Source   XML 1.0
 */
#pragma once
#include "common/pure/str.h"

#define CF_XML_MEMORY (1u << 20)

struct cf_xml;
enum cf_xml_result { CF_XML_OK, CF_XML_PAUSED, CF_XML_BROKEN };

struct cf_xml_handlers {
    /* attributes: name, value, name, value, NULL */
    void (*begin)(void *arg, const char *name, const char *const *attributes);
    void (*end)(void *arg, const char *name);
    void (*text)(void *arg, struct cf_str text);
};

void cf_xml_free(struct cf_xml *x);
/* handlers must outlive it; each may be NULL. */
struct cf_xml *cf_xml_new(const struct cf_xml_handlers *handlers, void *arg)
    CF_FREED_BY(cf_xml_free);
/* Not while paused. last: nothing follows. */
enum cf_xml_result cf_xml_feed(struct cf_xml *x, struct cf_str bytes, bool last);
enum cf_xml_result cf_xml_go_on(struct cf_xml *x);
/* From inside a handler. */
void cf_xml_pause(struct cf_xml *x);
/* From inside a handler: no more of this document, it is broken. */
void cf_xml_refuse(struct cf_xml *x);

/* The value of an attribute, without looking at prefixes; NULL when absent. */
const char *cf_xml_attribute(const char *const *attributes, const char *name);
