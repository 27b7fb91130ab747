// Invoice purchase with an active archive (catalogue section 3, FIG. 2). No lock: a token is bound to its
// archive, which lets it be used once. The value moves to M when A writes that; M's copy is proof of it.
// ROUTE 1: A gives M S_a(token), M deposits it. 2: A asks the bank. 3, direct deposit: M sends the bank the
// token, A sends its verification only.
#include "common.pml"
#ifndef ROUTE
#define ROUTE 1
#endif

#define REG 0    // 2: h(t), p_t
#define REGA 1   // 3
#define INV 2    // 5, with the ciphertext
#define TOKEN 3  // 6: P_m(token), S_c{INV}
#define TOKENo 4 // the same token and an endorsement to another merchant
#define DEP 5    // 7: P_a(token, k), INV, S_c{INV}: sealed
#define DEPw 6   // an invoice over a useless k that C did not endorse
#define DEPo 7   // the other merchant's
#define V8M 8    // 8: A writes that t is M's by this invoice; to the merchant
#define V8B 9    // to the bank
#define V8o 10   // t is the other merchant's
#define V8w 11   // t is M's by the invoice that C did not endorse (defect)
#define DEPOSIT 12 // route 1: M deposits S_a(token); route 3: the bare token
#define CREDIT 13  // 9
#define KEYM 14  // 10: k from M
#define KEYA 15  // k from A to p_t
#define ASK 16   // what became of t?
#define UNUSED 17 // A's signed answer from the expiration on: this invoice never used t and never will
#define USED 18  // A's signed answer: t is another merchant's
#define LEAK 19

// Customer: registering, registered, endorsed, paid, free again.
#define C_REGISTERED 1
#define C_ENDORSED 2
#define C_PAID 3
#define C_FREE 4
#define c disk[CUSTOMER]
#define owesC(s) (IF(s == 0, BIT(REG)) | IF(s == C_ENDORSED, BIT(TOKEN)) \
  | IF(s == C_ENDORSED && now >= EXPIRATION, BIT(ASK)))

// Merchant: offered, handed in, certified, credited, ended without the sale.
#define M_HANDED_IN 1
#define M_CERTIFIED 2
#define M_CREDITED 3
#define M_ENDED 4
#define m disk[MERCHANT]
#define owesM(s) (BIT(INV) | IF(s == M_HANDED_IN, BIT(DEP)) | IF(s == M_HANDED_IN \
    && now >= EXPIRATION, BIT(ASK)) \
  | IF(s == M_CERTIFIED && ROUTE != 2, BIT(DEPOSIT)) | IF(s == M_HANDED_IN && ROUTE == 3, BIT(DEPOSIT)) \
  | IF(s == M_CERTIFIED, FORWARDED(V8B)) | IF(s == M_CREDITED, BIT(KEYM)))

// Bank: unspent, M's, the other merchant's.
#define B_PAID_M 1
#define B_PAID_OTHER 2
#define B_BEARER 3
#define ONE_CREDIT 16
#define b disk[BANK]
#define phaseB(s) ((s) & 3)
#define CREDITS (b / ONE_CREDIT)
#define B_PAID (phaseB(b) == B_PAID_M || phaseB(b) == B_BEARER)
#define owesB(s) IF((s) & 1, BIT(CREDIT))
#if ROUTE == 1
#define PAYS (GOT(DEPOSIT) && SHOWN(V8M))
#endif
#if ROUTE == 2
#define PAYS GOT(V8B)
#endif
#if ROUTE == 3
#define PAYS (GOT(DEPOSIT) && GOT(V8B))
#endif

// Archive: unused, M's, the other merchant's, M's without endorsement (defect), twice (defect); flag:
// registered.
#define A_USED 1
#define A_USED_OTHER 2
#define A_USED_FORGED 3
#define A_USED_TWICE 4
#define A_REGISTERED 8
#define a disk[ARCHIVE]
#define phaseA(s) ((s) & 7)
#define owesA(s) (IF((s) & A_REGISTERED, BIT(REGA)) \
  | IF(phaseA(s) == A_USED || phaseA(s) == A_USED_TWICE, BIT(V8M) | BIT(KEYA) | IF(ROUTE != 1, BIT(V8B))) \
  | IF(phaseA(s) == A_USED_OTHER || phaseA(s) == A_USED_TWICE, BIT(V8o)) \
      | IF(phaseA(s) == A_USED_OTHER, BIT(USED)) \
  | IF(phaseA(s) == A_USED_FORGED, BIT(V8w)))
#ifdef BUG_LE
#define IN_TIME (now <= EXPIRATION)
#else
#define IN_TIME (now < EXPIRATION)
#endif


#if LIAR == CUSTOMER
#define SAYS (BIT(REG) | BIT(TOKEN) | BIT(TOKENo) | BIT(DEPo))
active proctype Customer() {
  do
  LIE(1, REG)
  LIE(SHOWN(INV), TOKEN)
  LIE(1, TOKENo)
  LIE(SHOWN(TOKENo), DEPo)
  LIE(1, ASK)
  :: break
  od;
end: false
}
#else
active proctype Customer() {
end:
  do
  STORE(CUSTOMER, owesC)
  ON(CUSTOMER, c == 0 && GOT(REGA), C_REGISTERED)
  ON(CUSTOMER, c == C_REGISTERED && GOT(INV), C_ENDORSED)
  ON(CUSTOMER, c == C_ENDORSED && (GOT(KEYM) || GOT(KEYA)), C_PAID)
  ON(CUSTOMER, c == C_ENDORSED && GOT(UNUSED), C_FREE)
  od
}
#endif

#if LIAR == MERCHANT
#define SAYS (BIT(INV) | BIT(DEP) | BIT(DEPw) | BIT(DEPOSIT) | BIT(KEYM) | BIT(LEAK))
active proctype Merchant() {
  do
  LIE(1, INV)
  LIE(SHOWN(TOKEN), DEP)
  LIE(SHOWN(TOKEN), DEPw)
  LIE(SHOWN(TOKEN), DEPOSIT)
  LIE(1, ASK)
  LIE(1, KEYM)
  :: break
  od;
end: false
}
#else
active proctype Merchant() {
end:
  do
  STORE(MERCHANT, owesM)
  ON(MERCHANT, m == 0 && GOT(TOKEN), M_HANDED_IN)
  ON(MERCHANT, m == M_HANDED_IN && GOT(V8M), M_CERTIFIED)
  ON(MERCHANT, m == M_HANDED_IN && (GOT(UNUSED) || GOT(USED)), M_ENDED)
  ON(MERCHANT, (m == M_HANDED_IN || m == M_CERTIFIED) && GOT(CREDIT), M_CREDITED)
  od
}
#endif

#if LIAR == BANK
#define SAYS BIT(CREDIT)
active proctype Bank() {
  do
  LIE(SHOWN(V8M) || SHOWN(V8B), CREDIT)
  LIE(1, ASK)
  :: break
  od;
end: false
}
#else
active proctype Bank() {
end:
  do
  STORE(BANK, owesB)
  ON(BANK, b == 0 && PAYS, B_PAID_M + ONE_CREDIT)
  ON(BANK, b == 0 && GOT(V8o), B_PAID_OTHER)
  ON(BANK, b == 0 && GOT(V8w), B_PAID_M + ONE_CREDIT)
#ifdef BUG_BEARER
  ON(BANK, b == 0 && GOT(DEPOSIT), B_BEARER + ONE_CREDIT)
#endif
#ifdef BUG_CREDIT_TWICE
  ON(BANK, phaseB(b) == B_PAID_M && CREDITS < 2 && PAYS, b + ONE_CREDIT)
#endif
  od
}
#endif

#if LIAR == ARCHIVE
#define SAYS (BIT(REGA) | BIT(V8M) | BIT(V8B) | BIT(V8o) | BIT(KEYA) | BIT(UNUSED) | BIT(USED) | BIT(LEAK))
active proctype Archive() {
  do
  LIE(SHOWN(REG), REGA)
  LIE(SHOWN(DEP), V8M)
  LIE(SHOWN(DEP), V8B)
  LIE(SHOWN(DEP), V8o)
  LIE(SHOWN(DEP), KEYA)
  LIE(SHOWN(REG), UNUSED)
  LIE(SHOWN(REG), USED)
  LIE(SHOWN(DEP), LEAK)
  :: break
  od;
end: false
}
#else
active proctype Archive() {
end:
  do
  STORE(ARCHIVE, owesA)
  ON(ARCHIVE, (a & A_REGISTERED) == 0 && GOT(REG), a | A_REGISTERED)
  ON(ARCHIVE, a == A_REGISTERED && GOT(DEP) && IN_TIME, a + A_USED)
  ON(ARCHIVE, a == A_REGISTERED && GOT(DEPo), a + A_USED_OTHER)
#ifdef BUG_USED_TWICE
  ON(ARCHIVE, phaseA(a) == A_USED_OTHER && GOT(DEP) && IN_TIME, a - A_USED_OTHER + A_USED_TWICE)
#endif
#ifdef BUG_ENDORSEMENT_UNCHECKED
  ON(ARCHIVE, a == A_REGISTERED && GOT(DEPw), a + A_USED_FORGED)
#endif
  ANSWER(ARCHIVE, phaseA(a) == 0 && now >= EXPIRATION && GOT(ASK), UNUSED)
  od
}
#endif

#define KEY_KNOWN (SHOWN(KEYM) || SHOWN(KEYA) || SHOWN(LEAK))
#define USE (SHOWN(V8M) || SHOWN(V8B))
#define TWO_ANSWERS (USE && (SHOWN(UNUSED) || SHOWN(USED) || SHOWN(V8o)))
// A use that C never endorsed, or a use that A denies: the archive's own signatures against it.
#define ARCHIVE_LIED (TWO_ANSWERS || (SHOWN(V8o) && !SHOWN(TOKENo)) || (SHOWN(USED) && !SHOWN(TOKENo)))

// Invariants 2, 4 (used once, and never after "unused") and 3: k is out only when t is M's.
#define ALWAYS ( \
  (HONEST(BANK) -> (CREDITS <= 1 && (CREDITS == 1) == B_PAID) : 1) \
  && (HONEST(ARCHIVE) -> !TWO_ANSWERS : 1) \
  && (HONEST(MERCHANT) && HONEST(ARCHIVE) -> (!KEY_KNOWN || phaseA(a) == A_USED \
      || phaseA(a) == A_USED_TWICE) : 1))
// C without an invoice has t untouched and is at its end.
#define ENDS ( \
  (HONEST(CUSTOMER) && HONEST(ARCHIVE) -> (c >= C_PAID || (c == C_REGISTERED && !HONEST(MERCHANT))) : 1) \
  && (HONEST(MERCHANT) && HONEST(ARCHIVE) -> (m == 0 || m >= M_CREDITED || (m == M_CERTIFIED \
      && !HONEST(BANK))) : 1) \
  && (HONEST(MERCHANT) && HONEST(BANK) && m == M_CERTIFIED -> TWO_ANSWERS : 1))
#define MONEY_MATCHES_GOODS ( \
  (HONEST(CUSTOMER) && HONEST(BANK) && HONEST(ARCHIVE) && B_PAID -> c == C_PAID : 1) \
  && (HONEST(CUSTOMER) && HONEST(BANK) && HONEST(MERCHANT) && B_PAID -> (c == C_PAID || ARCHIVE_LIED) : 1) \
  && (HONEST(CUSTOMER) && HONEST(BANK) && HONEST(ARCHIVE) -> (phaseB(b) != B_PAID_OTHER) : 1) \
  && (HONEST(CUSTOMER) && HONEST(BANK) && HONEST(ARCHIVE) && HONEST(MERCHANT) && c == C_PAID -> B_PAID : 1) \
  && (HONEST(MERCHANT) && HONEST(BANK) && HONEST(ARCHIVE) && KEY_KNOWN -> m == M_CREDITED : 1))
#define JUSTICE ( \
  (HONEST(ARCHIVE) -> !ARCHIVE_LIED : 1) \
  && (HONEST(BANK) && HONEST(ARCHIVE) -> (!SHOWN(V8M) || !HONEST(MERCHANT) || SHOWN(CREDIT)) : 1) \
  && (!HONEST(BANK) && m == M_CERTIFIED -> SHOWN(V8M) : 1) \
  && (HONEST(CUSTOMER) && HONEST(BANK) && phaseB(b) == B_PAID_OTHER -> ARCHIVE_LIED : 1) \
  && (HONEST(CUSTOMER) && HONEST(BANK) && B_PAID && c == C_FREE -> ARCHIVE_LIED : 1))
#define GOAL (B_PAID && c == C_PAID)
#define ALTERNATIVE (b == 0 && c == C_FREE)
#include "end.pml"
