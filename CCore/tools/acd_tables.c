/* acd_tables.c: prints the field tables for docs/SPEC.md, in Markdown, from the table of messages. */
#include <stdio.h>
#include "acd.h"

static const char *const role_names[] = {"",          "bank",      "archive",   "merchant",
                                         "kiosk",     "witness",   "timestamp", "authority",
                                         "token key", "pseudonym", "account"};

static void print_signers(uint16_t signers)
{
    const char *separator = "Signed by: ";
    for (unsigned role = ACD_ROLE_BANK; role <= ACD_ROLE_ACCOUNT; role++) {
        if (((unsigned)signers >> role & 1u) != 0) {
            printf("%s%s", separator, role_names[role]);
            separator = ", ";
        }
    }
    puts(signers == 0 ? "Not signed." : ".");
}

static void print_range(const char *unit, uint64_t min, uint64_t max)
{
    if (min == max) {
        printf("%s%llu", unit, (unsigned long long)min);
    } else {
        printf("%s%llu..%llu", unit, (unsigned long long)min, (unsigned long long)max);
    }
}

static void print_sub(const acd_field *field)
{
    const acd_message_info *info = acd_message_info_of((acd_message_type)field->sub);
    printf("%s", info == NULL ? "any" : info->name);
}

/* The kind and the limits: two columns. */
static void print_kind(const acd_message_info *info, const acd_field *field)
{
    switch ((acd_field_kind)field->kind) {
    case ACD_FIELD_UINT:
        printf("unsigned | ");
        print_range("", field->range->min, field->range->max);
        return;
    case ACD_FIELD_BOOL: printf("truth | false, true"); return;
    case ACD_FIELD_BYTES:
        printf("bytes | ");
        print_range("size ", field->range->min, field->range->max);
        return;
    case ACD_FIELD_TEXT:
        printf("text | ");
        if (field->key == ACD_KEY_FORMAT) {
            printf("\"%s\"", info->name);
        } else {
            print_range("size ", field->range->min, field->range->max);
        }
        return;
    case ACD_FIELD_MONEY:
        printf("money | ");
        print_range("amount ", field->range->min, field->range->max);
        return;
    case ACD_FIELD_MAP:
        printf("map ");
        print_sub(field);
        printf(" | ");
        return;
    case ACD_FIELD_MESSAGE:
        printf("message ");
        print_sub(field);
        printf(" | ");
        print_range("size ", field->range->min, field->range->max);
        return;
    case ACD_FIELD_BYTES_LIST: printf("list of bytes | "); break;
    case ACD_FIELD_UINT_LIST: printf("list of unsigned | "); break;
    case ACD_FIELD_MAP_LIST:
        printf("list of map ");
        print_sub(field);
        printf(" | ");
        break;
    case ACD_FIELD_MESSAGE_LIST: printf("list of messages | "); break;
    }
    print_range("count ", field->count_min, field->count_max);
    if (field->kind != ACD_FIELD_MAP_LIST) {
        print_range(field->kind == ACD_FIELD_UINT_LIST ? ", each " : ", each of size ", field->range->min,
                    field->range->max);
    }
}

int main(void)
{
    for (int type = ACD_NONE + 1; type < ACD_TYPE_COUNT; type++) {
        const acd_message_info *info = acd_message_info_of((acd_message_type)type);
        printf("#### %s: %s (`%s`)\n\n", info->label, info->title, info->name);
        print_signers(info->signers);
        puts("\n| key | field | kind | limits | required |\n|---|---|---|---|---|");
        for (size_t i = 0; i < info->field_count; i++) {
            const acd_field *field = &info->fields[i];
            printf("| %d | %s | ", field->key, field->name);
            print_kind(info, field);
            printf(" | %s |\n", field->required ? "yes" : "no");
        }
        puts("");
    }
    return 0;
}
