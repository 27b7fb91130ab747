/* acd_cddl.c: prints docs/acd.cddl, the messages in CDDL (RFC 8610), from the table of messages.
 *
 * Invariants: every rule follows from the table; a test compares the output with docs/acd.cddl. CDDL cannot
 * say that an encoding is deterministic, nor that nested byte strings of "any" message are signed:
 * docs/SPEC.md does. */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "acd.h"

/* A rule's name: letters, digits and hyphens. "acd-receipt/1" becomes "acd-receipt-1". */
static void print_rule_name(const char *name)
{
    for (; *name != '\0'; name++) {
        putchar(isalnum((unsigned char)*name) ? *name : '-');
    }
}

static void print_sub_rule(const acd_field *field)
{
    print_rule_name(acd_message_info_of((acd_message_type)field->sub)->name);
}

static void print_size(const char *base, uint64_t min, uint64_t max)
{
    if (min == max) {
        printf("%s .size %llu", base, (unsigned long long)min);
    } else {
        printf("%s .size (%llu..%llu)", base, (unsigned long long)min, (unsigned long long)max);
    }
}

static void print_number(uint64_t min, uint64_t max)
{
    if (min == max) {
        printf("%llu", (unsigned long long)min);
    } else {
        printf("%llu..%llu", (unsigned long long)min, (unsigned long long)max);
    }
}

static void print_count(const acd_field *field)
{
    /* The name has no meaning in an array; zcbor needs it to tell the lists of one map apart. */
    printf("[%u*%u %s: ", (unsigned)field->count_min, (unsigned)field->count_max, field->name);
}

/* A message with two sums: the second has a rule of its own name, after which zcbor names the member. */
static bool is_second_sum(const acd_message_info *info, const acd_field *field)
{
    for (const acd_field *before = info->fields; before < field; before++) {
        if (before->kind == ACD_FIELD_MONEY) {
            return true;
        }
    }
    return false;
}

static void print_type(const acd_message_info *info, const acd_field *field)
{
    switch ((acd_field_kind)field->kind) {
    case ACD_FIELD_UINT: print_number(field->range->min, field->range->max); return;
    case ACD_FIELD_BOOL: printf("bool"); return;
    case ACD_FIELD_BYTES: print_size("bstr", field->range->min, field->range->max); return;
    case ACD_FIELD_TEXT:
        if (field->key == ACD_KEY_FORMAT) {
            printf("\"%s\"", info->name);
        } else {
            print_size("tstr", field->range->min, field->range->max);
        }
        return;
    case ACD_FIELD_MONEY: printf(is_second_sum(info, field) ? "second-money" : "money"); return;
    case ACD_FIELD_MAP: print_sub_rule(field); return;
    case ACD_FIELD_MESSAGE:
        if (field->sub == ACD_NONE) {
            print_size("bstr", field->range->min, field->range->max);
        } else {
            printf("bstr .cbor ");
            print_sub_rule(field);
        }
        return;
    case ACD_FIELD_BYTES_LIST:
    case ACD_FIELD_MESSAGE_LIST:
        print_count(field);
        print_size("bstr", field->range->min, field->range->max);
        break;
    case ACD_FIELD_UINT_LIST:
        print_count(field);
        printf("(");
        print_number(field->range->min, field->range->max);
        printf(")");
        break;
    case ACD_FIELD_MAP_LIST:
        print_count(field);
        print_sub_rule(field);
        break;
    }
    printf("]");
}

static void print_map(const acd_message_info *info, const char *suffix)
{
    print_rule_name(info->name);
    printf("%s = {\n", suffix);
    for (size_t i = 0; i < info->field_count; i++) {
        const acd_field *field = &info->fields[i];
        printf("  %s%d => ", field->required ? "" : "? ", field->key);
        print_type(info, field);
        printf(", ; %s\n", field->name);
    }
    printf("}\n\n");
}

static void print_signed(const acd_message_info *info)
{
    printf("; %s: %s\n", info->label, info->title);
    print_rule_name(info->name);
    printf(" = #6.18([\n"
           "  protected: bstr .cbor ");
    print_rule_name(info->name);
    printf("-header,\n"
           "  unprotected: {},\n"
           "  payload: bstr .cbor ");
    print_rule_name(info->name);
    printf("-payload,\n"
           "  signature: bstr .size 64,\n"
           "])\n\n");
    print_rule_name(info->name);
    printf("-header = {\n  1 => -8, ; EdDSA, with Ed25519\n  4 => bstr .size 32, ; the signer's key\n"
           "  16 => \"%s\",\n}\n\n",
           info->name);
    print_map(info, "-payload");
}

static void print_any(const char *name, int first, int last)
{
    printf("%s =\n", name);
    for (int type = first; type <= last; type++) {
        printf("  ");
        print_rule_name(acd_message_info_of((acd_message_type)type)->name);
        printf(type < last ? " /\n" : "\n\n");
    }
}

int main(void)
{
    printf("; acd.cddl: the messages of Anonymous Certified Delivery in CDDL (RFC 8610).\n"
           "; Written by acd_cddl from the table of messages; do not edit.\n"
           "; Every encoding is deterministic (RFC 8949 s. 4.2.1). COSE messages are tagged COSE_Sign1 (RFC "
           "9052).\n\n");
    print_any("acd-message", ACD_P1, ACD_P5C);
    print_any("acd-container", ACD_RECEIPT, ACD_TIMESTAMP);
    printf("money = [currency: tstr .size 3, amount: 0..%llu] ; A-Z only; in minor units\n"
           "second-money = money ; the second sum in one map\n\n",
           (unsigned long long)ACD_AMOUNT_MAX);
    for (int type = ACD_NONE + 1; type < ACD_TYPE_COUNT; type++) {
        const acd_message_info *info = acd_message_info_of((acd_message_type)type);
        if (info->signers != 0) {
            print_signed(info);
        } else {
            printf("; %s: %s\n", info->label, info->title);
            print_map(info, "");
        }
    }
    return 0;
}
