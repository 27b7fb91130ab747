/* acd/cose.h: tagged COSE_Sign1 (RFC 9052 s. 4.2) with Ed25519, one protected header, no unprotected header.
 *
 *   18([ << {1: -8, 4: key id, 16: type} >>, {}, << payload >>, signature ])
 *
 * key id = the signer's 32-byte public key; type = the message's name in acd/message.h (RFC 9596 "typ"), the
 * domain separation: no signature on one message can serve as another. external_aad is empty. A message
 * nested in another is a byte string in the outer payload.
 *
 * The Sig_structure differs from the message by its prefix and one byte, so it is formed in place:
 *
 *   84 6a "Signature1"  58 xx <protected>  40  <payload bstr>            what is signed
 *             d2 84     58 xx <protected>  a0  <payload bstr>  5840 sig  what is sent
 */
#ifndef ACD_COSE_H
#define ACD_COSE_H

#include <stddef.h>
#include <stdint.h>
#include "acd/crypto.h"
#include "acd/message.h"
#include "acd/status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ACD_SIGN1_PREFIX 10u       /* the Sig_structure begins this many bytes before the message */
#define ACD_SIGN1_HEADROOM 96u     /* room before the payload for acd_sign1_sign_in_place, any type */
#define ACD_SIGN1_TAILROOM 66u     /* room after the payload: the signature and its head */
#define ACD_SIGN1_OVERHEAD (ACD_SIGN1_HEADROOM + ACD_SIGN1_TAILROOM)

/* acd_sign1 is a parsed message; it borrows the bytes. Parsed is not verified. */
typedef struct acd_sign1 {
    const uint8_t *bytes;          /* the whole message */
    size_t len;
    acd_message_type type;
    const uint8_t *key_id;         /* ACD_PUBLIC_KEY_SIZE bytes */
    const uint8_t *protected_bstr; /* from the head of the protected byte string ... */
    size_t protected_bstr_len;     /* ... this many bytes, head included */
    const uint8_t *payload;
    size_t payload_len;
    const uint8_t *signature;      /* ACD_SIGNATURE_SIZE bytes */
} acd_sign1;

/* acd_sign1_parse reads the envelope and refuses all that is not its one encoding. The payload is not looked
 * at; see acd_message_decode. */
ACD_MUST_CHECK acd_status acd_sign1_parse(acd_sign1 *out, const void *bytes, size_t len);

/* acd_sign1_verify_in_place checks the signature against the key id, without a copy: `message` must be the
 * message's bytes in writable memory with ACD_SIGN1_PREFIX bytes before it that also may be written. Both are
 * restored before the call returns, whatever it returns. A nested message stands that deep inside its
 * outer one. */
ACD_MUST_CHECK acd_status acd_sign1_verify_in_place(const acd_sign1 *parsed, uint8_t *message);

/* acd_sign1_verify does the same on read-only bytes, through a scratch buffer of at least
 * parsed->len + ACD_SIGN1_PREFIX bytes. */
ACD_MUST_CHECK acd_status acd_sign1_verify(const acd_sign1 *parsed, void *scratch, size_t scratch_cap);

/* acd_sign1_sign_in_place signs the payload that stands at buffer + ACD_SIGN1_HEADROOM. The message is
 * then at buffer + *out_offset, *out_len bytes. cap >= payload_len + ACD_SIGN1_OVERHEAD. */
ACD_MUST_CHECK acd_status acd_sign1_sign_in_place(uint8_t *buffer, size_t cap, size_t *out_offset,
                                                  size_t *out_len, size_t payload_len, acd_message_type type,
                                                  const uint8_t secret_key[ACD_SECRET_KEY_SIZE]);

/* The same in two halves, for keys that are elsewhere, on a card: acd_sign1_begin makes the Sig_structure,
 * which is then at buffer + *signed_offset, *signed_len bytes; acd_sign1_finish makes it the message under a
 * signature, which it does not check. ACD_ERR_MISUSE also for a structure that is none. */
ACD_MUST_CHECK acd_status acd_sign1_begin(uint8_t *buffer, size_t cap, size_t *signed_offset,
                                          size_t *signed_len, size_t payload_len, acd_message_type type,
                                          const uint8_t public_key[ACD_PUBLIC_KEY_SIZE]);
ACD_MUST_CHECK acd_status acd_sign1_finish(uint8_t *buffer, size_t cap, size_t *out_offset, size_t *out_len,
                                           size_t signed_offset, size_t signed_len,
                                           const uint8_t signature[ACD_SIGNATURE_SIZE]);

#ifdef __cplusplus
}
#endif
#endif
