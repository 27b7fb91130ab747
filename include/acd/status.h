/* acd/status.h: what a call came to. Ranges by cause, so that a caller can branch on the hundred. */
#ifndef ACD_STATUS_H
#define ACD_STATUS_H

#if defined(__GNUC__) || defined(__clang__)
#define ACD_MUST_CHECK __attribute__((warn_unused_result))
#else
#define ACD_MUST_CHECK
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef enum acd_status {
    ACD_OK = 0,

    /* 1xx: the caller broke the function's contract. */
    ACD_ERR_MISUSE = 100,          /* NULL, zero or out-of-range argument, wrong order of calls */
    ACD_ERR_NOT_INITIALISED = 101, /* acd_crypto_init has not succeeded */

    /* 2xx: the input is not what it must be, whoever sent it. */
    ACD_ERR_TRUNCATED = 200,       /* the input ends inside an item */
    ACD_ERR_TRAILING = 201,        /* bytes after the last item */
    ACD_ERR_MALFORMED = 202,       /* not CBOR, or an item of a kind that never occurs here */
    ACD_ERR_DEPTH = 203,           /* nested deeper than the limit */
    ACD_ERR_UNKNOWN_TYPE = 204,    /* a message type that the table does not have */
    ACD_ERR_UNEXPECTED_TYPE = 205, /* a known type, but not the one expected here */
    ACD_ERR_MISSING_FIELD = 206,   /* a required field is absent */
    ACD_ERR_UNKNOWN_FIELD = 207,   /* a key that the table does not have */
    ACD_ERR_FIELD_KIND = 208,      /* a field of the wrong kind */
    ACD_ERR_FIELD_RANGE = 209,     /* a field whose size or value is outside its limits */
    ACD_ERR_VERSION = 210,         /* a version that this build does not read */
    ACD_ERR_UTF8 = 211,            /* text that is not UTF-8 */

    /* 3xx: well formed, but not the one deterministic encoding. */
    ACD_ERR_NOT_SHORTEST = 300,    /* an integer or length that has a shorter form */
    ACD_ERR_KEY_ORDER = 301,       /* map keys out of order */
    ACD_ERR_DUPLICATE_KEY = 302,
    ACD_ERR_INDEFINITE = 303,      /* an indefinite length */

    /* 4xx: authentication and policy. */
    ACD_ERR_AUTHENTICATION = 400,  /* a signature, tag, commitment or proof does not hold */
    ACD_ERR_BAD_KEY = 401,         /* a public key of small or mixed order, or not on the curve */
    ACD_ERR_UNTRUSTED = 402,       /* the signer is not in the trust list in the needed role */
    ACD_ERR_EXPIRED = 403,         /* outside the window of the key or the list */
    ACD_ERR_MISMATCH = 404,        /* two messages that must agree do not */
    ACD_ERR_REVOKED = 405,         /* the signer's key was revoked before it signed */

    /* 5xx: capacity. */
    ACD_ERR_NO_SPACE = 500,        /* the output buffer is too small */
    ACD_ERR_TOO_LARGE = 501        /* larger than the format allows */
} acd_status;

/* acd_status_name returns a short constant name such as "authentication"; never NULL. */
const char *acd_status_name(acd_status status);

#ifdef __cplusplus
}
#endif
#endif
