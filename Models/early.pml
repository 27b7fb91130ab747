// Early customer commitment with forced commit (catalogue section 6, FIG. 5). k = x XOR r: r came with E1, x
// is what the archive publishes. C reads with E1, the ciphertext (E4, or from the archive after a forced
// commit) and x.
#include "common.pml"

#define E1 0
#define E2 1
#define E2o 2  // the same token in another sale
#define E3M 3
#define E3C 4
#define REFUSAL 5
#define E4 6
#define E5 7   // C acknowledges the ciphertext of E4
#define E6 8   // x, with E5; sealed
#define E6F 9  // x, with E4 and the ciphertext: forced
#define E6N 10 // x, with neither
#define CANCEL 11
#define ASK 12
#define E7aB 13 // the commit, with E5
#define E7aM 14
#define E7aC 15
#define E7fB 16 // the forced commit, with S_a(E4)
#define E7fM 17
#define E7fC 18
#define E7bB 19
#define E7bM 20
#define E7bC 21
#define GOODS 22 // the ciphertext, from the archive
#define CREDIT 23
#define LEAK 24
#define E7n 25  // a commit with neither E5 nor the ciphertext (defects)
#define E7al 26 // a commit stamped at or after the expiration (defect)
#define E7bE 27 // an abort before the expiration, without a Cancel (defect)
#define FORCED (BIT(E7fB) | BIT(E7fM) | BIT(E7fC))

// Customer: requested, authorised, locked, acknowledged, paid, delivered, aborted, refused; flag: has the
// ciphertext.
#define C_AUTHORISED 1
#define C_LOCKED 2
#define C_ACKNOWLEDGED 3
#define C_PAID 4
#define C_DELIVERED 5
#define C_ABORTED 6
#define C_REFUSED 7
#define CIPHERTEXT 8
#define phaseC(s) ((s) & 7)
#define toC(s, phase) (((s) & ~7) | (phase))
#define c disk[CUSTOMER]
#define owesC(s) (IF(phaseC(s) == C_AUTHORISED, BIT(E2)) | IF(phaseC(s) == C_ACKNOWLEDGED, BIT(E5)) \
  | IF((phaseC(s) == C_LOCKED || phaseC(s) == C_ACKNOWLEDGED) && now >= EXPIRATION, BIT(ASK)) \
  | IF(phaseC(s) == C_ABORTED, BIT(E7bB)))

// Merchant: offered, locked (E4 sent), submitted, forcing, cancelling, committed, credited, aborted.
#define M_LOCKED 1
#define M_SUBMITTED 2
#define M_FORCING 3
#define M_CANCELLING 4
#define M_COMMITTED 5
#define M_CREDITED 6
#define M_ABORTED 7
#define m disk[MERCHANT]
#define owesM(s) (BIT(E1) | IF(s == M_LOCKED, BIT(E4)) | IF(s == M_SUBMITTED, BIT(E6)) \
    | IF(s == M_FORCING, BIT(E6F)) \
  | IF(s == M_CANCELLING, BIT(CANCEL)) | IF(s >= M_SUBMITTED && s <= M_CANCELLING \
      && now >= EXPIRATION, BIT(ASK)) \
  | IF(s == M_COMMITTED, (GOTANY(FORCED) -> FORWARDED(E7fB) : FORWARDED(E7aB))) \
      | IF(s == M_ABORTED, FORWARDED(E7bB)))

#define AUTHORISATION E2
#define OTHER_SALE E2o
#define LOCKED_M E3M
#define LOCKED_C E3C
#define PAYING (BIT(E7aB) | BIT(E7fB))
#define FREEING BIT(E7bB)
#define TELLS_PAID (SHOWNANY(FORCED) -> BIT(E7fC) : BIT(E7aC))
#define TELLS_FREED BIT(E7bC)
#define COMMIT_B E7aB
#define COMMIT_M E7aM
#define COMMIT_C E7aC
#define ABORT_B E7bB
#define ABORT_M E7bM
#define ABORT_C E7bC
#define SUBMITTED GOT(E6)
#define SUBMITTED_EVER SHOWN(E6)
#define LOCK_SHOWN SHOWN(E3M)
#define EARLY_ABORT E7bE
#define LATE_COMMIT E7al
#ifdef BUG_FORCED_UNHELD
#define OTHER_COMMIT FORCED
#define FORCES (GOT(E6F) || GOT(E6N))
#else
#ifdef BUG_UNACKNOWLEDGED
#define OTHER_COMMIT (SHOWN(E6F) -> (FORCED | BIT(GOODS)) : BIT(E7n))
#define FORCES (GOT(E6F) || GOT(E6N))
#else
#define OTHER_COMMIT (FORCED | BIT(GOODS))
#define FORCES GOT(E6F)
#endif
#endif
#define MORE_RECORDS ON(ARCHIVE, phaseA(a) == 0 && FORCES && now < EXPIRATION, a + A_OTHER)
#define ARCHIVE_LIES \
  LIE(SHOWN(E6F), E7fB) \
  LIE(SHOWN(E6F), E7fM) \
  LIE(SHOWN(E6F), E7fC) \
  LIE(SHOWN(E6F), GOODS)
#if LIAR == ARCHIVE
#define SAYS_MORE (FORCED | BIT(GOODS))
#endif

#if LIAR == CUSTOMER
#define SAYS (BIT(E2) | BIT(E2o) | BIT(E5))
active proctype Customer() {
  do
  LIE(SHOWN(E1), E2)
  LIE(1, E2o)
  LIE(SHOWN(E4), E5)
  LIE(SHOWN(E3C), ASK)
  LIE(SHOWNANY(COMMIT), E7aB)
  LIE(SHOWNANY(FORCED), E7fB)
  LIE(SHOWNANY(ABORT), E7bB)
  :: break
  od;
end: false
}
#else
active proctype Customer() {
end:
  do
  STORE(CUSTOMER, owesC)
  ON(CUSTOMER, c == 0 && GOT(E1), C_AUTHORISED)
  ON(CUSTOMER, phaseC(c) == C_AUTHORISED && GOT(E3C), C_LOCKED)
  ON(CUSTOMER, phaseC(c) == C_AUTHORISED && GOT(REFUSAL), C_REFUSED)
  ON(CUSTOMER, phaseC(c) == C_LOCKED && GOT(E4), C_ACKNOWLEDGED | CIPHERTEXT)
  ON(CUSTOMER, phaseC(c) >= C_AUTHORISED && phaseC(c) <= C_ACKNOWLEDGED && (GOT(E7aC)
      || GOT(E7fC)), toC(c, C_PAID))
  ON(CUSTOMER, phaseC(c) == C_PAID && ((c & CIPHERTEXT) || GOT(GOODS)), C_DELIVERED)
  ON(CUSTOMER, (phaseC(c) == C_LOCKED || phaseC(c) == C_ACKNOWLEDGED) && GOT(E7bC), toC(c, C_ABORTED))
  od
}
#endif

#if LIAR == MERCHANT
#define SAYS (BIT(E1) | BIT(E4) | BIT(E6) | BIT(E6F) | BIT(E6N) | BIT(CANCEL) | BIT(LEAK))
active proctype Merchant() {
  do
  LIE(1, E1)
  LIE(1, E4)
  LIE(SHOWN(E3M) && SHOWN(E5), E6)
  LIE(SHOWN(E3M), E6F)
  LIE(SHOWN(E3M), E6N)
  LIE(SHOWN(E3M), CANCEL)
  LIE(SHOWN(E3M), ASK)
  LIE(1, LEAK)
  LIE(SHOWNANY(COMMIT), E7aB)
  LIE(SHOWNANY(FORCED), E7fB)
  :: break
  od;
end: false
}
#else
active proctype Merchant() {
end:
  do
  STORE(MERCHANT, owesM)
  ON(MERCHANT, m == 0 && GOT(E3M), M_LOCKED)
  ON(MERCHANT, m == 0 && GOT(E3M), M_CANCELLING)
  ON(MERCHANT, m == M_LOCKED && GOT(E5), M_SUBMITTED)
  // No E5 comes, and time runs out: force it, or give it up.
  ON(MERCHANT, m == M_LOCKED && SHOWN(E4), M_FORCING)
  ON(MERCHANT, m == M_LOCKED, M_CANCELLING)
  ON(MERCHANT, m >= M_LOCKED && m <= M_CANCELLING && (GOT(E7aM) || GOT(E7fM)), M_COMMITTED)
  ON(MERCHANT, m >= M_LOCKED && m <= M_CANCELLING && GOT(E7bM), M_ABORTED)
  ON(MERCHANT, m == M_COMMITTED && GOT(CREDIT), M_CREDITED)
  od
}
#endif

#include "bank.pml"
#include "archive.pml"

#define c_ phaseC(c)
#define M_HAS_COMMIT (m == M_COMMITTED || m == M_CREDITED)
#define C_HAS_COMMIT (c_ == C_PAID || c_ == C_DELIVERED)
#define PUBLISHED SHOWNANY(COMMIT | FORCED)
#define TWO_OUTCOMES (PUBLISHED && SHOWNANY(ABORT))
#define KEY_KNOWN SHOWNANY(COMMIT | FORCED | BIT(LEAK) | BIT(E7n) | BIT(E7al))

// Invariant 3 at any time: x is out only when a commit is that pays.
#define ALWAYS (ONE_PLACE && (HONEST(ARCHIVE) -> !TWO_OUTCOMES : 1) \
  && (phaseB(b) == B_RELEASED && (M_HAS_COMMIT || C_HAS_COMMIT) -> TWO_OUTCOMES : 1) \
  && (HONEST(MERCHANT) && HONEST(ARCHIVE) -> (!KEY_KNOWN || PUBLISHED) : 1))
#define ENDS ( \
  (HONEST(BANK) && HONEST(ARCHIVE) -> phaseB(b) != B_LOCKED : 1) \
  && (HONEST(CUSTOMER) && HONEST(ARCHIVE) -> (c_ >= C_DELIVERED || (c_ == 0 && !HONEST(MERCHANT)) \
    || (c_ == C_AUTHORISED && !HONEST(BANK))) : 1) \
  && (HONEST(MERCHANT) && HONEST(ARCHIVE) -> (m == 0 || m == M_CREDITED || m == M_ABORTED \
    || (m == M_COMMITTED && !HONEST(BANK))) : 1))
// A lying archive may keep the ciphertext of a forced commit to itself: its S_a(E4) says that it holds it.
#define MONEY_MATCHES_GOODS ( \
  (HONEST(CUSTOMER) && HONEST(BANK) && B_PAID -> (c_ == C_DELIVERED || TWO_OUTCOMES \
    || (!HONEST(ARCHIVE) && c_ == C_PAID && SHOWNANY(FORCED))) : 1) \
  && (HONEST(CUSTOMER) && HONEST(BANK) && HONEST(ARCHIVE) && C_HAS_COMMIT -> B_PAID : 1) \
  && (HONEST(CUSTOMER) && HONEST(BANK) && c_ >= C_ABORTED -> (!B_PAID || TWO_OUTCOMES) : 1) \
  && (HONEST(MERCHANT) && HONEST(BANK) && HONEST(ARCHIVE) && KEY_KNOWN -> m == M_CREDITED : 1))
// Two-sided by itself: who paid has acknowledged, or the archive holds the ciphertext.
#define NOT_CREDITED (SHOWN(E3M) && (HONEST(ARCHIVE) -> PUBLISHED : m == M_COMMITTED) && !SHOWN(CREDIT))
#define REFUSED_WRONGLY (SHOWN(REFUSAL) && SHOWN(E3M))
#define JUSTICE ( \
  (HONEST(BANK) -> ((!NOT_CREDITED || TWO_OUTCOMES) && !REFUSED_WRONGLY) : 1) \
  && (HONEST(BANK) && B_PAID -> (SHOWN(E2) && PUBLISHED && (SHOWN(E5) || SHOWNANY(FORCED))) : 1) \
  && (!HONEST(BANK) && m == M_COMMITTED -> (NOT_CREDITED || SHOWN(CREDIT)) : 1) \
  && (!HONEST(BANK) && c_ == C_REFUSED && SHOWN(E3M) -> REFUSED_WRONGLY : 1))
#define GOAL (SHOWN(E6) && phaseB(b) == B_SETTLED && c_ == C_DELIVERED)
#define ALTERNATIVE (SHOWN(E6F) && phaseB(b) == B_SETTLED && c_ == C_DELIVERED)
#include "end.pml"
