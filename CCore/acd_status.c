/* acd_status.c: names of statuses; stable, part of docs/SPEC.md. */
#include "acd/status.h"

const char *acd_status_name(acd_status status)
{
    switch (status) {
    case ACD_OK: return "ok";
    case ACD_ERR_MISUSE: return "misuse";
    case ACD_ERR_NOT_INITIALISED: return "not-initialised";
    case ACD_ERR_TRUNCATED: return "truncated";
    case ACD_ERR_TRAILING: return "trailing";
    case ACD_ERR_MALFORMED: return "malformed";
    case ACD_ERR_DEPTH: return "depth";
    case ACD_ERR_UNKNOWN_TYPE: return "unknown-type";
    case ACD_ERR_UNEXPECTED_TYPE: return "unexpected-type";
    case ACD_ERR_MISSING_FIELD: return "missing-field";
    case ACD_ERR_UNKNOWN_FIELD: return "unknown-field";
    case ACD_ERR_FIELD_KIND: return "field-kind";
    case ACD_ERR_FIELD_RANGE: return "field-range";
    case ACD_ERR_VERSION: return "version";
    case ACD_ERR_UTF8: return "utf8";
    case ACD_ERR_NOT_SHORTEST: return "not-shortest";
    case ACD_ERR_KEY_ORDER: return "key-order";
    case ACD_ERR_DUPLICATE_KEY: return "duplicate-key";
    case ACD_ERR_INDEFINITE: return "indefinite";
    case ACD_ERR_AUTHENTICATION: return "authentication";
    case ACD_ERR_BAD_KEY: return "bad-key";
    case ACD_ERR_UNTRUSTED: return "untrusted";
    case ACD_ERR_EXPIRED: return "expired";
    case ACD_ERR_MISMATCH: return "mismatch";
    case ACD_ERR_REVOKED: return "revoked";
    case ACD_ERR_NO_SPACE: return "no-space";
    case ACD_ERR_TOO_LARGE: return "too-large";
    }
    return "unknown";
}
