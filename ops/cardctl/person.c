/* holder-ref and seal: what an outside producer must do before it may write to a topic. */
#include "cardflow/v1/common.pb-c.h"
#include "common/io/json.h"
#include "common/io/seal.h"
#include "ops/cardctl/cardctl.h"

#include <stdlib.h>

enum { LINE_MAX_BYTES = 64 * 1024, FIELD_PERSON = 1 };

static void chomp(char *line, ssize_t *n)
{
    while (*n > 0 && (line[*n - 1] == '\n' || line[*n - 1] == '\r'))
        line[--*n] = 0;
}

static bool ref_of(const struct cf_seal_ring *ring, enum cf_doc_type type, struct cf_str raw,
                   uint8_t ref[CF_REF_LEN])
{
    char number[CF_IDNUM_MAX];
    unsigned warnings = 0;
    size_t n = cf_idnum_normalise(raw, number, &warnings);
    return cf_holder_ref(ring, type, (struct cf_str){number, n}, ref);
}

/* Calls each for every line that is not empty; its number counts from 1. */
static int each_line(bool (*each)(void *arg, struct cf_str line), void *arg)
{
    char *line = NULL;
    size_t cap = 0;
    unsigned long no = 0;
    ssize_t n;
    int code = 0;
    while ((n = getline(&line, &cap, stdin)) >= 0) {
        no++;
        chomp(line, &n);
        if (n == 0) continue;
        if (n > LINE_MAX_BYTES || !each(arg, (struct cf_str){line, (size_t)n})) {
            fprintf(stderr, "cardctl: line %lu cannot be taken\n", no);
            code = 1;
        }
    }
    free(line);
    return fflush(stdout) == 0 ? code : cardctl_fail("standard output", "cannot be written");
}

/* ---- holder-ref ------------------------------------------------------------------------------- */

struct refs {
    struct cf_seal_ring *ring;
    enum cf_doc_type type;
};

static bool print_ref(void *arg, struct cf_str line)
{
    const struct refs *r = arg;
    uint8_t ref[CF_REF_LEN];
    char hex[2 * CF_REF_LEN + 1];
    if (!ref_of(r->ring, r->type, line, ref)) return false;
    cf_hex(ref, sizeof ref, hex);
    return puts(hex) >= 0;
}

static bool read_reference_key(const char *path, uint8_t key[CF_SEAL_KEY_LEN])
{
    char text[2 * CF_SEAL_KEY_LEN + 2] = {0};
    FILE *file = fopen(path, "rbe");
    if (!file) return false;
    size_t n = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    while (n && (text[n - 1] == '\n' || text[n - 1] == '\r' || text[n - 1] == ' '))
        n--;
    return cf_unhex((struct cf_str){text, n}, key, CF_SEAL_KEY_LEN);
}

int cardctl_holder_ref(int argc, char **argv)
{
    const char *type = cardctl_needed(argc, argv, "--type", NULL);
    const char *path =
        cardctl_needed(argc, argv, "--reference-key-file", "CARDFLOW_REFERENCE_KEY_FILE");
    uint8_t key[CF_SEAL_KEY_LEN];
    if (!type || !path) return 2;
    struct refs r = {.type = cf_doc_type_parse(cf_str_of(type))};
    if (r.type == CF_DOC_NONE) {
        fprintf(stderr, "cardctl: --type must be a document type, such as resident_id\n");
        return 2;
    }
    if (!read_reference_key(path, key)) return cardctl_fail(path, "no 64 hexadecimal digits");
    r.ring = cf_seal_ring_new(key);
    int code = each_line(print_ref, &r);
    cf_seal_ring_free(r.ring);
    return code;
}

/* ---- seal ------------------------------------------------------------------------------------- */

struct sealing {
    struct cf_seal_ring *ring;
    struct cf_arena *arena;
    bool with_ref;
};

/* Arena text has a zero behind it, which protobuf-c wants. */
static char *text(struct cf_in *in, const char *name)
{
    struct cf_str v = cf_in_text(in, name, CF_OPTIONAL, 0, 1000);
    struct cf_str copy = cf_arena_str(in->arena, v.ptr ? v : CF_STR(""));
    return (char *)(uintptr_t)copy.ptr;
}

static Cardflow__V1__Guardian *guardian(struct cf_in in)
{
    Cardflow__V1__Guardian *g = cf_arena_alloc(in.arena, sizeof *g);
    cardflow__v1__guardian__init(g);
    g->name = text(&in, "name");
    g->document_type = text(&in, "document_type");
    g->document_number = text(&in, "document_number");
    g->relation = text(&in, "relation");
    g->phone = text(&in, "phone");
    return g;
}

static Cardflow__V1__Agent *agent(struct cf_in in)
{
    Cardflow__V1__Agent *a = cf_arena_alloc(in.arena, sizeof *a);
    cardflow__v1__agent__init(a);
    a->name = text(&in, "name");
    a->document_type = text(&in, "document_type");
    a->document_number = text(&in, "document_number");
    return a;
}

static void person(struct cf_in *in, Cardflow__V1__Person *p)
{
    p->document_type = text(in, "document_type");
    p->document_number = text(in, "document_number");
    p->name = text(in, "name");
    p->sex = text(in, "sex");
    p->birth_date = text(in, "birth_date");
    p->phone = text(in, "phone");
    p->address = text(in, "address");
    if (cf_in_has(in, "guardian"))
        p->guardian = guardian(cf_in_object(in, "guardian", CF_OPTIONAL));
    if (cf_in_has(in, "agent")) p->agent = agent(cf_in_object(in, "agent", CF_OPTIONAL));
}

static bool print_sealed(struct sealing *s, const Cardflow__V1__Person *p)
{
    uint8_t ref[CF_REF_LEN];
    struct cf_str packed;
    enum cf_doc_type type = cf_doc_type_parse(cf_str_of(p->document_type));
    if (!ref_of(s->ring, type, cf_str_of(p->document_number), ref)) return false;
    size_t n = protobuf_c_message_get_packed_size(&p->base);
    uint8_t *plain = cf_arena_alloc(s->arena, n + 1);
    protobuf_c_message_pack(&p->base, plain);
    struct cf_key owner = cf_key_holder(ref);
    if (cf_seal(s->ring, (struct cf_str){(char *)plain, n}, cf_key_str(&owner), FIELD_PERSON,
                s->arena, &packed) != 0)
        return false;
    char *hex = cf_arena_alloc(s->arena, 2 * packed.len + 1), ref_hex[2 * CF_REF_LEN + 1];
    cf_hex(packed.ptr, packed.len, hex);
    cf_hex(ref, sizeof ref, ref_hex);
    return (s->with_ref ? printf("%s %s\n", ref_hex, hex) : printf("%s\n", hex)) > 0;
}

static bool seal_line(void *arg, struct cf_str line)
{
    struct sealing *s = arg;
    struct cf_json_error wrong;
    struct cf_field_errors errors = {0};
    Cardflow__V1__Person p;
    cardflow__v1__person__init(&p);
    json_t *root = cf_json_parse(line, &wrong);
    if (!root) return false;
    cf_arena_reset(s->arena);
    struct cf_in in = cf_in_of(root, s->arena, &errors);
    person(&in, &p);
    bool good = errors.n == 0 && print_sealed(s, &p);
    json_decref(root);
    return good;
}

int cardctl_seal(int argc, char **argv)
{
    const char *reference =
        cardctl_needed(argc, argv, "--reference-key-file", "CARDFLOW_REFERENCE_KEY_FILE");
    const char *sealing =
        cardctl_needed(argc, argv, "--sealing-key-file", "CARDFLOW_SEALING_KEY_FILE");
    char why[CF_SEAL_WHY];
    if (!reference || !sealing) return 2;
    struct sealing s = {.with_ref = cardctl_flag(argc, argv, "--with-ref")};
    if (cf_seal_ring_load(reference, sealing, &s.ring, why) != 0)
        return cardctl_fail("keys", why);
    s.arena = cf_arena_new(4 << 20);
    int code = each_line(seal_line, &s);
    cf_arena_free(s.arena);
    cf_seal_ring_free(s.ring);
    return code;
}
