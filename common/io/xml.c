#include "common/io/xml.h"

#include <expat.h>
#include <stdlib.h>

struct cf_xml {
    XML_Parser parser;
    const struct cf_xml_handlers *handlers;
    void *arg;
    size_t used; /* by the parser */
};

/* ---- memory: expat's allocators have no argument, so they find their document here ----------- */

static _Thread_local struct cf_xml *current;

static struct cf_xml *enter(struct cf_xml *x)
{
    struct cf_xml *outer = current;
    current = x;
    return outer;
}

union head {
    size_t n;
    max_align_t align;
};

static void *take(void *old, size_t n)
{
    union head *h = old ? (union head *)old - 1 : NULL;
    size_t had = h ? h->n : 0;
    if (n > CF_XML_MEMORY || current->used - had + n > CF_XML_MEMORY) return NULL;
    h = cf_realloc(h, sizeof *h + n);
    h->n = n;
    current->used += n - had;
    return h + 1;
}

static void *xml_malloc(size_t n)
{
    return take(NULL, n);
}

static void xml_free(void *p)
{
    union head *h = p ? (union head *)p - 1 : NULL;
    if (h) current->used -= h->n;
    free(h);
}

/* ---- events ---------------------------------------------------------------------------------- */

static const char *local(const char *name)
{
    const char *colon = strchr(name, ':');
    return colon ? colon + 1 : name;
}

static void on_begin(void *arg, const XML_Char *name, const XML_Char **attributes)
{
    struct cf_xml *x = arg;
    if (x->handlers->begin)
        x->handlers->begin(x->arg, local(name), (const char *const *)attributes);
}

static void on_end(void *arg, const XML_Char *name)
{
    struct cf_xml *x = arg;
    if (x->handlers->end) x->handlers->end(x->arg, local(name));
}

static void on_text(void *arg, const XML_Char *text, int n)
{
    struct cf_xml *x = arg;
    if (x->handlers->text) x->handlers->text(x->arg, (struct cf_str){text, (size_t)n});
}

static void on_doctype(void *arg, const XML_Char *name, const XML_Char *system,
                       const XML_Char *public, int internal)
{
    (void)name, (void)system, (void)public, (void)internal;
    cf_xml_refuse(arg);
}

void cf_xml_pause(struct cf_xml *x)
{
    XML_StopParser(x->parser, XML_TRUE);
}

void cf_xml_refuse(struct cf_xml *x)
{
    XML_StopParser(x->parser, XML_FALSE);
}

/* ---- life ------------------------------------------------------------------------------------ */

void cf_xml_free(struct cf_xml *x)
{
    if (!x) return;
    struct cf_xml *outer = enter(x);
    XML_ParserFree(x->parser);
    current = outer;
    free(x);
}

struct cf_xml *cf_xml_new(const struct cf_xml_handlers *handlers, void *arg)
{
    static const XML_Memory_Handling_Suite memory = {xml_malloc, take, xml_free};
    struct cf_xml *x = cf_calloc(1, sizeof *x);
    x->handlers = handlers;
    x->arg = arg;
    struct cf_xml *outer = enter(x);
    x->parser = XML_ParserCreate_MM(NULL, &memory, NULL);
    current = outer;
    if (!x->parser) abort(); /* the limit is far above what an empty parser needs */
    XML_SetUserData(x->parser, x);
    XML_SetElementHandler(x->parser, on_begin, on_end);
    XML_SetCharacterDataHandler(x->parser, on_text);
    XML_SetStartDoctypeDeclHandler(x->parser, on_doctype);
    return x;
}

static enum cf_xml_result told(enum XML_Status status)
{
    switch (status) {
    case XML_STATUS_OK: return CF_XML_OK;
    case XML_STATUS_SUSPENDED: return CF_XML_PAUSED;
    case XML_STATUS_ERROR: break;
    }
    return CF_XML_BROKEN;
}

enum cf_xml_result cf_xml_feed(struct cf_xml *x, struct cf_str bytes, bool last)
{
    struct cf_xml *outer = enter(x);
    enum XML_Status status = XML_Parse(x->parser, bytes.ptr, (int)bytes.len, last);
    current = outer;
    return told(status);
}

enum cf_xml_result cf_xml_go_on(struct cf_xml *x)
{
    struct cf_xml *outer = enter(x);
    enum XML_Status status = XML_ResumeParser(x->parser);
    current = outer;
    return told(status);
}

const char *cf_xml_attribute(const char *const *attributes, const char *name)
{
    for (; attributes[0]; attributes += 2)
        if (strcmp(local(attributes[0]), name) == 0) return attributes[1];
    return NULL;
}
