/* acd_message_table.c: the one table of all messages. A row here is the message: the codec
 * (acd_message.c), the CDDL and the tables in docs/SPEC.md follow it. Source: docs/SPEC.md, US 6,076,078,
 * FIGS. 1 to 8.
 *
 * Invariants: fields stand in ascending order of their encoded keys (0..23, then -1..-24); no key twice;
 * `sub` never forms a cycle, and inner maps nest at most two deep. acd_test_table.c holds these.
 */
#include "acd/message.h"
#include "acd_fields.h"
#include "acd_fields_core.h"
#include "acd_fields_delivery.h"
#include "acd_fields_modes.h"
#include "acd_fields_token.h"
#include "acd_internal.h"

/* MARK: The table */

#define BIT(role) ((uint16_t)(1u << (role)))
#define BANK BIT(ACD_ROLE_BANK)
#define ARCHIVE BIT(ACD_ROLE_ARCHIVE)
#define MERCHANT BIT(ACD_ROLE_MERCHANT)
#define TOKEN BIT(ACD_ROLE_TOKEN)
#define PSEUDONYM BIT(ACD_ROLE_PSEUDONYM)
#define ACCOUNT BIT(ACD_ROLE_ACCOUNT)
#define KIOSK BIT(ACD_ROLE_KIOSK)
#define ROW(name, label, title, signers, fields) \
    {(name), (label), (title), (uint16_t)(signers), (uint8_t)(sizeof(fields) / sizeof((fields)[0])), (fields)}

static const acd_message_info table[ACD_TYPE_COUNT] = {
    [ACD_P1] = ROW("acd-p1", "P1", "Merchandise", MERCHANT, p1_fields),
    [ACD_P2] = ROW("acd-p2", "P2", "Authorization by the token", TOKEN, p2_fields),
    [ACD_COSIGN] = ROW("acd-cosign", "CoSign", "Signature of a further token", TOKEN, cosign_fields),
    [ACD_P3] = ROW("acd-p3", "P3", "Authorization by the bank", BANK, p3_fields),
    [ACD_SP1] = ROW("acd-sp1", "S_p(P1)", "Acknowledgement of the goods", PSEUDONYM, sp1_fields),
    [ACD_P4] = ROW("acd-p4", "P4", "Authorization by the merchant", MERCHANT, p4_fields),
    [ACD_CANCEL] = ROW("acd-cancel", "Cancel", "Cancellation by the merchant", MERCHANT, cancel_fields),
    [ACD_P5A] = ROW("acd-p5a", "P5a", "Commit", ARCHIVE, p5a_fields),
    [ACD_P5B] = ROW("acd-p5b", "P5b", "Abort", ARCHIVE, abort_fields),
    [ACD_N1] = ROW("acd-n1", "N1", "Request", PSEUDONYM, n1_fields),
    [ACD_NAK] = ROW("acd-nak", "NAK", "Bad or unwanted goods", PSEUDONYM, nak_fields),
    [ACD_OFFERS] = ROW("acd-offers", "Offers", "What a merchant sells", MERCHANT, offers_fields),
    [ACD_CREDIT] = ROW("acd-credit", "Credit", "Value credited to the merchant", BANK, credit_fields),
    [ACD_REFUSAL] = ROW("acd-refusal", "Refusal", "Signed refusal", BANK | ARCHIVE | MERCHANT,
                        refusal_fields),
    [ACD_STATUS_QUERY] = ROW("acd-query", "Query", "Status query",
                             TOKEN | PSEUDONYM | MERCHANT | BANK | BIT(ACD_ROLE_WITNESS),
                             status_query_fields),
    [ACD_STATUS] = ROW("acd-status", "Status", "Status answer", BANK | ARCHIVE | MERCHANT, status_fields),
    [ACD_W1] = ROW("acd-w1", "W1", "Withdrawal request", ACCOUNT, w1_fields),
    [ACD_W2] = ROW("acd-w2", "W2", "Withdrawal", BANK, w2_fields),
    [ACD_ACCOUNT_QUERY] = ROW("acd-account-query", "AQ", "Account query", ACCOUNT, account_query_fields),
    [ACD_ACCOUNT] = ROW("acd-account", "AA", "Account history", BANK, account_fields),
    [ACD_X1] = ROW("acd-x1", "X1", "Exchange request", TOKEN, x1_fields),
    [ACD_X2] = ROW("acd-x2", "X2", "Exchange", BANK, x2_fields),
    [ACD_KEY_LIST] = ROW("acd-keys", "KeyList", "Denomination keys", BANK, key_list_fields),
    [ACD_TRUST_LIST] = ROW("acd-trust", "TrustList", "Trust list", BIT(ACD_ROLE_AUTHORITY),
                           trust_list_fields),

    [ACD_E1] = ROW("acd-e1", "E1", "Contract", MERCHANT, e1_fields),
    [ACD_E2] = ROW("acd-e2", "E2", "Early authorization by the token", TOKEN, p2_fields),
    [ACD_E3] = ROW("acd-e3", "E3", "Early authorization by the bank", BANK, p3_fields),
    [ACD_E4] = ROW("acd-e4", "E4", "Merchandise after the lock", MERCHANT, e4_fields),
    [ACD_E5] = ROW("acd-e5", "E5", "Acknowledgement of E4", PSEUDONYM, e5_fields),
    [ACD_E6] = ROW("acd-e6", "E6", "Early authorization by the merchant", MERCHANT, e6_fields),
    [ACD_HELD] = ROW("acd-held", "Held", "Ciphertext held by the archive", ARCHIVE, held_fields),
    [ACD_E7A] = ROW("acd-e7a", "E7a", "Early commit", ARCHIVE, e7a_fields),
    [ACD_E7B] = ROW("acd-e7b", "E7b", "Early abort", ARCHIVE, abort_fields),

    [ACD_JA2] = ROW("acd-ja2", "JA2", "Joint authorization by the token", TOKEN, p2_fields),
    [ACD_JA3] = ROW("acd-ja3", "JA3", "Joint authorization by the bank", BANK, p3_fields),
    [ACD_JA4] = ROW("acd-ja4", "JA4", "Joint authorization by the merchant", MERCHANT, ja4_fields),
    [ACD_JA5A] = ROW("acd-ja5a", "JA5a", "Joint commit", BANK, ja5a_fields),
    [ACD_JA5B] = ROW("acd-ja5b", "JA5b", "Joint abort", BANK, abort_fields),
    [ACD_JB2] = ROW("acd-jb2", "JB2", "Compact authorization by the token", TOKEN, p2_fields),
    [ACD_JB2ACK] = ROW("acd-jb2ack", "JB2ack", "Compact authorization is locked", BANK, jb2ack_fields),
    [ACD_JB3] = ROW("acd-jb3", "JB3", "Compact authorization by the merchant", MERCHANT, jb3_fields),
    [ACD_JB4A] = ROW("acd-jb4a", "JB4a", "Compact commit", BANK, jb4a_fields),
    [ACD_JB4B] = ROW("acd-jb4b", "JB4b", "Compact abort", BANK, jb4b_fields),

    [ACD_R1] = ROW("acd-r1", "R1", "First merchandise of a series", MERCHANT, r1_fields),
    [ACD_R2] = ROW("acd-r2", "R2", "Budget authorized by the token", TOKEN, r2_fields),
    [ACD_R3] = ROW("acd-r3", "R3", "Budget authorized by the bank", BANK, r3_fields),
    [ACD_R4] = ROW("acd-r4", "R4", "First key", MERCHANT, r4_fields),
    [ACD_R5] = ROW("acd-r5", "R5", "Further request", PSEUDONYM, r5_fields),
    [ACD_R6] = ROW("acd-r6", "R6", "Further merchandise", MERCHANT, r6_fields),
    [ACD_R7] = ROW("acd-r7", "R7", "Acknowledgement of R6", PSEUDONYM, r7_fields),
    [ACD_R8] = ROW("acd-r8", "R8", "Further key", MERCHANT, r8_fields),
    [ACD_R9] = ROW("acd-r9", "R9", "Series authorized by the merchant", MERCHANT, r9_fields),
    [ACD_R10A] = ROW("acd-r10a", "R10a", "Commit of a series", ARCHIVE, r10a_fields),
    [ACD_R10B] = ROW("acd-r10b", "R10b", "Abort of a series", ARCHIVE, abort_fields),

    [ACD_REGISTRATION] = ROW("acd-registration", "Registration", "Registration of a token", TOKEN,
                             registration_fields),
    [ACD_REGISTERED] = ROW("acd-registered", "Registered", "Token registered", ARCHIVE, registered_fields),
    [ACD_INV] = ROW("acd-inv", "INV", "Invoice", MERCHANT, inv_fields),
    [ACD_ENDORSEMENT] = ROW("acd-endorsement", "S_c{INV}", "Endorsed invoice", TOKEN, endorsement_fields),
    [ACD_DEPOSIT] = ROW("acd-deposit", "Deposit", "Token, key and endorsed invoice", MERCHANT,
                        deposit_fields),
    [ACD_APPROVAL] = ROW("acd-approval", "Approval", "Deposit approved by the archive", ARCHIVE,
                         approval_fields),
    [ACD_PASSIVE_RECORD] = ROW("acd-passive-record", "PassiveRecord", "Key published by the bank", BANK,
                               passive_record_fields),
    [ACD_COMPLAINT] = ROW("acd-complaint", "Complaint", "Complaint under the token's key", TOKEN,
                          complaint_fields),

    [ACD_PO] = ROW("acd-po", "PO", "Purchase order", MERCHANT, po_fields),
    [ACD_ANNOUNCEMENT] = ROW("acd-announcement", "A3", "Token announced", TOKEN, announcement_fields),
    [ACD_ANNOUNCED] = ROW("acd-announced", "A3p", "Announcement published", ARCHIVE, announced_fields),
    [ACD_CONSENT] = ROW("acd-consent", "A4", "Purchase order signed by the token", TOKEN, consent_fields),
    [ACD_A7] = ROW("acd-a7", "A7", "Announced token locked", BANK, a7_fields),
    [ACD_A8] = ROW("acd-a8", "A8", "Announced authorization by the merchant", MERCHANT, a8_fields),
    [ACD_A9A] = ROW("acd-a9a", "A9a", "Announced commit", ARCHIVE, a9a_fields),
    [ACD_A9B] = ROW("acd-a9b", "A9b", "Announced abort", ARCHIVE, abort_fields),

    [ACD_N2] = ROW("acd-n2", "N2", "Counter-offer", MERCHANT, n2_fields),
    [ACD_BT1] = ROW("acd-bt1", "BT1", "Transfer between banks", BANK, bt1_fields),
    [ACD_BT2] = ROW("acd-bt2", "BT2", "Transfer credited", BANK, bt2_fields),
    [ACD_BT3] = ROW("acd-bt3", "BT3", "Claim on a token's issuer", BANK, bt3_fields),
    [ACD_BT4] = ROW("acd-bt4", "BT4", "Claim on an issuer granted", BANK, bt4_fields),
    [ACD_RF1] = ROW("acd-rf1", "RF1", "Refund request", PSEUDONYM, rf1_fields),
    [ACD_RF2] = ROW("acd-rf2", "RF2", "Refund agreed", MERCHANT, rf2_fields),
    [ACD_RF3] = ROW("acd-rf3", "RF3", "Refund", BANK, rf3_fields),
    [ACD_NR] = ROW("acd-nr", "NR", "Certified non-response", BIT(ACD_ROLE_WITNESS), nr_fields),
    [ACD_P5C] = ROW("acd-p5c", "P5c", "Abort by the witnesses", BIT(ACD_ROLE_WITNESS), p5c_fields),

    [ACD_D0] = ROW("acd-d0", "D0", "Parcel arrived", KIOSK, d0_fields),
    [ACD_D1] = ROW("acd-d1", "D1", "Challenge at the counter", KIOSK, d1_fields),
    [ACD_D2] = ROW("acd-d2", "D2", "Answer to the challenge", PSEUDONYM, d2_fields),
    [ACD_D3] = ROW("acd-d3", "D3", "Outcome at the counter", KIOSK, d3_fields),
    [ACD_DELEGATION] = ROW("acd-delegation", "Delegation", "Somebody else may collect", PSEUDONYM,
                           delegation_fields),

    [ACD_RECEIPT] = ROW("acd-receipt/1", "Receipt", "Paid receipt", 0, receipt_fields),
    [ACD_BUNDLE] = ROW("acd-bundle/1", "Bundle", "Messages that travel together", 0, bundle_fields),
    [ACD_SEALED] = ROW("acd-sealed/1", "Sealed", "Encrypted to a public key", 0, sealed_fields),

    [ACD_PAYMENT] = ROW("acd-payment/1", "Payment", "Tokens and endorsement", 0, payment_fields),
    [ACD_TIMESTAMP] = ROW("acd-timestamp/1", "Timestamp", "Messages that existed by a time", 0,
                           timestamp_fields),

    [ACD_CONTRACT] = ROW("contract", "contract", "Contract", 0, contract_fields),
    [ACD_TOKEN] = ROW("token", "Q*", "Token", 0, token_fields),
    [ACD_TOKEN_INPUT] = ROW("token-input", "token input", "Token and amount", 0, token_input_fields),
    [ACD_BLINDED] = ROW("blinded", "blinded", "Blinded token", 0, blinded_fields),
    [ACD_DENOMINATION] = ROW("denomination", "denomination", "Denomination key", 0, denomination_fields),
    [ACD_TRUST_ENTRY] = ROW("trust-entry", "trust entry", "Trusted key", 0, trust_entry_fields),
    [ACD_OFFER] = ROW("offer", "offer", "Offer", 0, offer_fields),
};

const acd_message_info *acd_message_info_of(acd_message_type type)
{
    if ((int)type <= (int)ACD_NONE || (int)type >= (int)ACD_TYPE_COUNT) {
        return NULL;
    }
    return &table[type];
}
