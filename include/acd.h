/* acd.h: Anonymous Certified Delivery, the C core. Umbrella header.
 *
 *   header            concept                                     source
 *   acd/status.h      one status type, ranges by cause
 *   acd/crypto.h      the only door to libsodium                  RFC 8032, RFC 5869, libsodium
 *   acd/cbor.h        strict deterministic CBOR                   RFC 8949 s. 4.2.1
 *   acd/cose.h        COSE_Sign1, nested, in place                RFC 9052, RFC 9596
 *   acd/message.h     the table of all messages                   docs/SPEC.md
 *   acd/merkle.h      RFC 6962 trees: roots and proofs            RFC 6962 s. 2.1
 *   acd/goods.h       sealing and opening goods, streaming        C2SP chunked-encryption
 *   acd/note.h        signed notes                                C2SP signed-note, tlog-cosignature
 *   acd/policy.h      logs, witnesses and quorums                 C2SP tlog-policy
 *   acd/tlog.h        leaves, checkpoints, proofs                 C2SP tlog-proof, tlog-checkpoint
 *   acd/base45.h      text for QR codes                           RFC 9285
 *   acd/receipt.h     verify a paid receipt in one call           docs/SPEC.md, US 6,076,078
 *   acd/card.h        the smart card, as an application            ISO/IEC 7816-4, docs/SPEC.md
 *
 * Conventions, stated once:
 *  - Every function that can fail returns acd_status; ACD_OK is 0. Outputs are written only on ACD_OK unless
 *    the function says otherwise. No status says more than "authentication failed" about a failed check.
 *  - Parameters: context, outputs, inputs. A pointer and its length travel together; NULL is allowed only
 *    with length 0.
 *  - The caller owns all memory. The core allocates nothing, keeps no static state, reads no clock, draws no
 *    randomness and does no I/O. Contexts are complete structs; nothing has to be released, but contexts that
 *    hold secrets are wiped by their finish or wipe function, and on every error.
 *  - Decoded views (acd_sign1, acd_value, ...) borrow the input: keep it alive and unchanged.
 *  - Inputs and outputs must not overlap unless the function says so.
 *  - Sizes are bytes; times are seconds since 1970-01-01T00:00:00Z without leap seconds.
 *  - Call acd_crypto_init() once before anything else; afterwards every function may be called from any
 *    thread, on contexts that are not shared.
 */
#ifndef ACD_H
#define ACD_H

#include "acd/status.h"
#include "acd/crypto.h"
#include "acd/cbor.h"
#include "acd/cose.h"
#include "acd/message.h"
#include "acd/merkle.h"
#include "acd/goods.h"
#include "acd/note.h"
#include "acd/policy.h"
#include "acd/tlog.h"
#include "acd/base45.h"
#include "acd/receipt.h"
#include "acd/card.h"

#endif
