/* acd_policy.c: trust policies of transparency logs: read, and asked whether a quorum holds.
 * Source: C2SP tlog-policy.
 *
 * Invariants: a name refers to names before it only, so one pass in order decides, without recursion; a name
 * is a member at most once, so that no witness counts twice; text that is forbidden is no policy.
 */
#include "acd/policy.h"
#include <string.h>
#include "acd_internal.h"

_Static_assert(sizeof(acd_policy) <= 2560, "32 logs, 64 names and a little");
_Static_assert(ACD_POLICY_SIZE_MAX <= UINT16_MAX, "places in the text are 16 bits");

/* One line, taken apart word by word. */
typedef struct line_words {
    const char *text; /* the whole policy's */
    size_t at;
    size_t end;
} line_words;

static int is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* The next word; 0 at the end of the line. */
static int next_word(acd_policy_span *out, line_words *line)
{
    while (line->at < line->end && is_blank(line->text[line->at])) {
        line->at++;
    }
    size_t start = line->at;
    while (line->at < line->end && !is_blank(line->text[line->at])) {
        line->at++;
    }
    *out = (acd_policy_span){(uint16_t)start, (uint16_t)(line->at - start)};
    return out->len > 0;
}

static int is_word(const char *text, acd_policy_span span, const char *word)
{
    return strlen(word) == span.len && memcmp(text + span.at, word, span.len) == 0;
}

static int is_same(const char *text, acd_policy_span a, acd_policy_span b)
{
    return a.len == b.len && memcmp(text + a.at, text + b.at, a.len) == 0;
}

/* The index of a name, or name_count. */
static size_t find_name(const acd_policy *policy, acd_policy_span name)
{
    size_t i = 0;
    while (i < policy->name_count && !is_same(policy->text, policy->names[i].name, name)) {
        i++;
    }
    return i;
}

static int is_witness(const acd_policy_name *name)
{
    return name->vkey.len > 0;
}

/* The type and public key of a checked vkey: its last 44 characters, in their one spelling. */
static acd_policy_span material_of(acd_policy_span vkey)
{
    const uint16_t len = 44;
    return (acd_policy_span){(uint16_t)(vkey.at + vkey.len - len), len};
}

/* A key that must be of this type, then perhaps a URL, then the line's end. */
static acd_status read_key(acd_policy_span *vkey, line_words *line, uint8_t type)
{
    acd_note_key key;
    acd_policy_span url;
    acd_policy_span more;
    if (!next_word(vkey, line)) {
        return ACD_ERR_MALFORMED;
    }
    ACD_TRY(acd_note_key_parse(&key, line->text + vkey->at, vkey->len));
    if (key.type != type) {
        return ACD_ERR_UNKNOWN_TYPE;
    }
    return next_word(&url, line) && next_word(&more, line) ? ACD_ERR_MALFORMED : ACD_OK;
}

static acd_status read_log(acd_policy *policy, line_words *line)
{
    acd_policy_span vkey;
    ACD_TRY(read_key(&vkey, line, ACD_NOTE_ED25519));
    for (size_t i = 0; i < policy->log_count; i++) {
        if (is_same(policy->text, material_of(policy->logs[i]), material_of(vkey))) {
            return ACD_ERR_DUPLICATE_KEY;
        }
    }
    if (policy->log_count == ACD_POLICY_LOGS_MAX) {
        return ACD_ERR_TOO_LARGE;
    }
    policy->logs[policy->log_count++] = vkey;
    return ACD_OK;
}

/* A name that is being defined. */
static acd_status read_new_name(acd_policy_span *name, const acd_policy *policy, line_words *line)
{
    if (!next_word(name, line) || is_word(policy->text, *name, "none")) {
        return ACD_ERR_MALFORMED;
    }
    return find_name(policy, *name) == policy->name_count ? ACD_OK : ACD_ERR_DUPLICATE_KEY;
}

static acd_status define(acd_policy *policy, const acd_policy_name *name, size_t limit)
{
    size_t same = 0;
    for (size_t i = 0; i < policy->name_count; i++) {
        same += is_witness(&policy->names[i]) == is_witness(name);
    }
    if (same >= limit) {
        return ACD_ERR_TOO_LARGE;
    }
    policy->names[policy->name_count++] = *name;
    return ACD_OK;
}

static acd_status read_witness(acd_policy *policy, line_words *line)
{
    acd_policy_name witness = {0, {0, 0}, {0, 0}, 0};
    ACD_TRY(read_new_name(&witness.name, policy, line));
    ACD_TRY(read_key(&witness.vkey, line, ACD_NOTE_COSIGNATURE));
    for (size_t i = 0; i < policy->name_count; i++) {
        const acd_policy_name *known = &policy->names[i];
        if (is_witness(known) &&
            is_same(policy->text, material_of(known->vkey), material_of(witness.vkey))) {
            return ACD_ERR_DUPLICATE_KEY;
        }
    }
    return define(policy, &witness, ACD_POLICY_WITNESSES_MAX);
}

/* "all", "any" or a number, once it is known how many members there are. */
static acd_status read_threshold(uint8_t *out, const char *text, acd_policy_span word, size_t count)
{
    uint64_t value = 0;
    if (is_word(text, word, "all")) {
        value = count;
    } else if (is_word(text, word, "any")) {
        value = 1;
    } else {
        ACD_TRY(acd_decimal_read(&value, text + word.at, word.len));
    }
    if (value < 1 || value > count) {
        return ACD_ERR_MALFORMED;
    }
    *out = (uint8_t)value;
    return ACD_OK;
}

static acd_status read_group(acd_policy *policy, uint64_t *taken, line_words *line)
{
    acd_policy_name group = {0, {0, 0}, {0, 0}, 0};
    acd_policy_span threshold;
    acd_policy_span member;
    size_t count = 0;
    ACD_TRY(read_new_name(&group.name, policy, line));
    if (!next_word(&threshold, line)) {
        return ACD_ERR_MALFORMED;
    }
    while (next_word(&member, line)) {
        size_t index = find_name(policy, member);
        uint64_t bit = UINT64_C(1) << index % 64u;
        if (index == policy->name_count || (*taken & bit) != 0) {
            return ACD_ERR_MISMATCH;
        }
        *taken |= bit;
        group.members |= bit;
        count++;
    }
    ACD_TRY(read_threshold(&group.threshold, policy->text, threshold, count));
    return define(policy, &group, ACD_POLICY_GROUPS_MAX);
}

static acd_status read_quorum(acd_policy *policy, int *seen, line_words *line)
{
    acd_policy_span name;
    acd_policy_span more;
    if (*seen || !next_word(&name, line) || next_word(&more, line)) {
        return ACD_ERR_MALFORMED;
    }
    *seen = 1;
    policy->is_none = is_word(policy->text, name, "none") ? 1 : 0;
    size_t index = policy->is_none ? 0 : find_name(policy, name);
    policy->quorum = (uint8_t)index;
    return policy->is_none || index < policy->name_count ? ACD_OK : ACD_ERR_MISMATCH;
}

static acd_status read_line(acd_policy *policy, uint64_t *taken, int *has_quorum, line_words *line)
{
    acd_policy_span word;
    if (!next_word(&word, line) || line->text[word.at] == '#') {
        return ACD_OK;
    }
    if (is_word(line->text, word, "log")) {
        return read_log(policy, line);
    }
    if (is_word(line->text, word, "witness")) {
        return read_witness(policy, line);
    }
    if (is_word(line->text, word, "group")) {
        return read_group(policy, taken, line);
    }
    return is_word(line->text, word, "quorum") ? read_quorum(policy, has_quorum, line) : ACD_ERR_MALFORMED;
}

static int is_allowed(char c)
{
    uint8_t byte = (uint8_t)c;
    return byte == '\t' || byte == '\n' || (byte >= 0x20u && byte != 0x7fu);
}

acd_status acd_policy_read(acd_policy *out, const char *text, size_t len)
{
    uint64_t taken = 0; /* names that are members */
    int has_quorum = 0;
    if (out == NULL || acd_is_lacking(text, len)) {
        return ACD_ERR_MISUSE;
    }
    memset(out, 0, sizeof *out);
    out->text = text;
    if (len > ACD_POLICY_SIZE_MAX) {
        return ACD_ERR_TOO_LARGE;
    }
    for (size_t i = 0; i < len; i++) {
        if (!is_allowed(text[i])) {
            return ACD_ERR_MALFORMED;
        }
    }
    for (size_t at = 0; at < len;) {
        const char *newline = memchr(text + at, '\n', len - at);
        if (newline == NULL) {
            return ACD_ERR_MALFORMED; /* cut short */
        }
        line_words line = {text, at, (size_t)(newline - text)};
        ACD_TRY(read_line(out, &taken, &has_quorum, &line));
        at = (size_t)(newline - text) + 1u;
    }
    return has_quorum ? ACD_OK : ACD_ERR_MALFORMED;
}

acd_status acd_policy_log(acd_note_key *out, const acd_policy *policy, size_t index)
{
    if (out == NULL || policy == NULL || index >= policy->log_count) {
        return ACD_ERR_MISUSE;
    }
    acd_policy_span vkey = policy->logs[index];
    return acd_note_key_reread(out, policy->text + vkey.at, vkey.len);
}

acd_status acd_policy_witness(acd_note_key *out, const acd_policy *policy, size_t index)
{
    if (out == NULL || policy == NULL || index >= policy->name_count) {
        return ACD_ERR_MISUSE;
    }
    acd_policy_span vkey = policy->names[index].vkey;
    return vkey.len == 0 ? ACD_ERR_MISMATCH
                         : acd_note_key_reread(out, policy->text + vkey.at, vkey.len);
}

static unsigned count_bits(uint64_t bits)
{
    unsigned count = 0;
    for (; bits != 0; bits &= bits - 1u) {
        count++;
    }
    return count;
}

int acd_policy_holds(const acd_policy *policy, uint64_t witnesses)
{
    uint64_t held = 0;
    if (policy == NULL) {
        return 0;
    }
    for (size_t i = 0; i < policy->name_count; i++) { /* members stand before their group */
        const acd_policy_name *name = &policy->names[i];
        int holds = is_witness(name) ? (witnesses >> i & 1u) != 0
                                     : count_bits(name->members & held) >= name->threshold;
        held |= (uint64_t)holds << i;
    }
    return policy->is_none || (policy->quorum < policy->name_count && (held >> policy->quorum & 1u) != 0);
}
