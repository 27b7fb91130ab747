// The core protocol (catalogue section 5, FIG. 4), one-sided, or two-sided with -DTWO_SIDED. Machines as in
// Sources/Parties. L is the lock of the good P2. Lx is a lock of the same (M, n) on other terms, which M
// cancels.
#include "common.pml"

#define P1 0
#define P2 1
#define P2x 2   // other terms for the same (M, n)
#define P2o 3   // the same token in another sale
#define P3M 4
#define P3C 5
#define P3x 6
#define REFUSAL 7
#define SP 8    // S_p(P1)
#define P4 9    // sealed: only the archive reads k in it
#define P4w 10  // with a wrong k
#define CANCEL 11
#define CANCELx 12
#define ASK 13  // P3 at the archive: asks for the abort of L
#define ASKx 14
#define P5aB 15 // the commit, on its way to the bank; likewise to merchant and customer
#define P5aM 16
#define P5aC 17
#define P5bB 18
#define P5bM 19
#define P5bC 20
#define P5bx 21 // the abort of Lx
#define P5bE 22 // an abort of L before the expiration, without M's Cancel
#define P5bO 23 // an abort for this (M, n), but of another lock, from a confederate's bank (attack 1)
#define P5bF 24 // an abort of L that another archive signed
#define P5al 25 // a commit stamped at or after the expiration
#define P5aw 26 // a commit of a wrong k
#define CREDIT 27
#define OPEN 29 // A's signed answer, at or after the expiration: nothing was published
#define LEAK 28 // k, told outside the protocol

// Customer: requested, authorised, locked, paid, aborted, refused.
#define C_AUTHORISED 1
#define C_LOCKED 2
#define C_PAID 3
#define C_ABORTED 4
#define C_REFUSED 5
#define owesC(s) (IF(s == C_AUTHORISED, BIT(P2)) | IF(s == C_LOCKED && TWO, BIT(SP)) \
  | IF(s == C_LOCKED && now >= EXPIRATION, BIT(ASK)) | IF(s == C_ABORTED, BIT(P5bB)) \
  | IF(s == C_PAID, FORWARDED(P5aB)))
#ifdef TWO_SIDED
#define TWO 1
#else
#define TWO 0
#endif

// Merchant: offered, authorised (waits for S_p(P1)), submitted, cancelling, committed, credited, aborted;
// flags.
#define M_AUTHORISED 1
#define M_SUBMITTED 2
#define M_CANCELLING 3
#define M_COMMITTED 4
#define M_CREDITED 5
#define M_ABORTED 6
#define HELD 8     // S_p(P1)
#define BACK 16    // L is given back although the sale ended or runs on Lx
#define BACKx 32
#define ONx 64     // the sale's lock is Lx
#define phaseM(s) ((s) & 7)
#define toM(s, phase) (((s) & ~7) | (phase))
#define owesM(s) (BIT(P1) | IF(phaseM(s) == M_SUBMITTED, BIT(P4)) | IF((s) & BACK, BIT(CANCEL)) \
  | IF((s) & BACKx, BIT(CANCELx)) | IF(phaseM(s) == M_CANCELLING, ((s) & ONx -> BIT(CANCELx) : BIT(CANCEL))) \
  | IF((phaseM(s) == M_SUBMITTED || phaseM(s) == M_CANCELLING) && now >= EXPIRATION, \
      ((s) & ONx -> BIT(ASKx) : BIT(ASK))) \
  | IF(phaseM(s) == M_COMMITTED, FORWARDED(P5aB)) \
  | IF(phaseM(s) == M_ABORTED && ((s) & ONx) == 0, FORWARDED(P5bB)))

// What only the bank and the archive of this protocol do.
#define AUTHORISATION P2
#define OTHER_SALE P2o
#define LOCKED_M P3M
#define LOCKED_C P3C
#define PAYING BIT(P5aB)
#ifdef BUG_ABORT_BY_N
#define FREEING (BIT(P5bB) | BIT(P5bO))
#else
#ifdef BUG_ABORT_FORGED
#define FREEING (BIT(P5bB) | BIT(P5bF))
#else
#define FREEING BIT(P5bB)
#endif
#endif
#ifdef BUG_KEY_UNCHECKED
#define UNPROVEN BIT(P5aw)
#define MORE_RECORDS ON(ARCHIVE, phaseA(a) == 0 && GOT(P4w) && now < EXPIRATION, a + A_OTHER) RECORD_OF_Lx
#else
#define MORE_RECORDS RECORD_OF_Lx
#endif
#define RECORD_OF_Lx \
  ANSWER(ARCHIVE, phaseA(a) == 0 && SHOWN(P4) && now >= EXPIRATION, OPEN) \
  ON(ARCHIVE, (a & A_FLAG) == 0 && (GOT(CANCELx) || (GOT(ASKx) && now >= EXPIRATION)), a + A_FLAG)
#define TELLS_PAID BIT(P5aC)
#define TELLS_FREED BIT(P5bC)
#define OTHER_LOCK BIT(P3x)
#define MORE_LOCKS \
  ON(BANK, b == 0 && GOT(P2x), B_LOCKEDx) \
  ON(BANK, phaseB(b) == B_LOCKEDx && GOT(P5bx), b - B_LOCKEDx + B_RELEASEDx)
#define BANK_LIES LIE(1, P3x)

#define SUBMITTED GOT(P4)
#define SUBMITTED_EVER SHOWN(P4)
#define LOCK_SHOWN SHOWN(P3M)
#define COMMIT_B P5aB
#define COMMIT_M P5aM
#define COMMIT_C P5aC
#define ABORT_B P5bB
#define ABORT_M P5bM
#define ABORT_C P5bC
#define EARLY_ABORT P5bE
#define LATE_COMMIT P5al
#define OTHER_COMMIT BIT(P5aw)
#define FLAG_OWES BIT(P5bx)
#define ARCHIVE_LIES LIE(SHOWN(P3x), P5bx)
#if LIAR == BANK
#define SAYS_MORE BIT(P3x)
#endif
#if LIAR == ARCHIVE
#define SAYS_MORE BIT(P5bx)
#endif

#if LIAR == CUSTOMER
#define SAYS (BIT(P2) | BIT(P2x) | BIT(P2o) | BIT(SP) | BIT(ASKx) | BIT(P5bO) | BIT(P5bF))
active proctype Customer() {
  do
  LIE(SHOWN(P1), P2)
  LIE(SHOWN(P1), P2x)
  LIE(1, P2o)
  LIE(TWO && SHOWN(P1), SP)
  LIE(SHOWN(P3C) || SHOWN(P3M), ASK)
  LIE(SHOWN(P3x), ASKx)
  LIE(SHOWN(P1), P5bO)
  LIE(SHOWN(P3C), P5bF)
  LIE(SHOWNANY(COMMIT), P5aB)
  LIE(SHOWNANY(ABORT), P5bB)
  :: break
  od;
end: false
}
#else
active proctype Customer() {
end:
  do
  STORE(CUSTOMER, owesC)
  ON(CUSTOMER, disk[CUSTOMER] == 0 && GOT(P1), C_AUTHORISED)
  ON(CUSTOMER, disk[CUSTOMER] == C_AUTHORISED && GOT(P3C), C_LOCKED)
  ON(CUSTOMER, disk[CUSTOMER] == C_AUTHORISED && GOT(REFUSAL), C_REFUSED)
  ON(CUSTOMER, (disk[CUSTOMER] == C_AUTHORISED || disk[CUSTOMER] == C_LOCKED) && GOT(P5aC), C_PAID)
  ON(CUSTOMER, disk[CUSTOMER] == C_LOCKED && GOT(P5bC), C_ABORTED)
  od
}
#endif

#if LIAR == MERCHANT
#define SAYS (BIT(P1) | BIT(P4) | BIT(P4w) | BIT(CANCEL) | BIT(LEAK))
active proctype Merchant() {
  do
  LIE(1, P1)
  LIE(SHOWN(P3M), P4)
  LIE(SHOWN(P3M), P4w)
  LIE(SHOWN(P3M), CANCEL)
  LIE(SHOWN(P3M), ASK)
  LIE(1, LEAK)
  LIE(SHOWNANY(COMMIT), P5aB)
  :: break
  od;
end: false
}
#else
#define onL(s) (((s) & ONx) == 0)
#define m disk[MERCHANT]
active proctype Merchant() {
end:
  do
  STORE(MERCHANT, owesM)
  ON(MERCHANT, TWO && (m & HELD) == 0 && phaseM(m) != M_AUTHORISED && GOT(SP), m | HELD)
  // P3 on the terms of the sale: submit, or wait for S_p(P1), or find too little time left.
  ON(MERCHANT, phaseM(m) == 0 && GOT(P3M) && (!TWO || (m & HELD)), toM(m, M_SUBMITTED))
  ON(MERCHANT, phaseM(m) == 0 && GOT(P3M) && TWO && (m & HELD) == 0, toM(m, M_AUTHORISED))
  ON(MERCHANT, phaseM(m) == 0 && GOT(P3M), toM(m, M_CANCELLING))
  ON(MERCHANT, phaseM(m) == M_AUTHORISED && GOT(SP), toM(m | HELD, M_SUBMITTED))
  ON(MERCHANT, phaseM(m) == M_AUTHORISED, toM(m, M_CANCELLING))
  // P3 on other terms.
  ON(MERCHANT, phaseM(m) == 0 && GOT(P3x), toM(m | ONx, M_CANCELLING))
  ON(MERCHANT, phaseM(m) != 0 && onL(m) && (m & BACKx) == 0 && GOT(P3x), m | BACKx)
  ON(MERCHANT, (m & ONx) && (m & BACK) == 0 && GOT(P3M), m | BACK)
  // Outcomes.
  ON(MERCHANT, phaseM(m) >= M_AUTHORISED && phaseM(m) <= M_CANCELLING && onL(m)
      && GOT(P5aM), toM(m, M_COMMITTED))
  ON(MERCHANT, phaseM(m) >= M_AUTHORISED && phaseM(m) <= M_CANCELLING && onL(m)
      && GOT(P5bM), toM(m, M_ABORTED))
  ON(MERCHANT, phaseM(m) == M_CANCELLING && (m & ONx) && GOT(P5bx), toM(m, M_ABORTED))
  ON(MERCHANT, phaseM(m) == M_COMMITTED && GOT(CREDIT), toM(m, M_CREDITED))
  od
}
#endif

#include "bank.pml"
#include "archive.pml"

#define c_ disk[CUSTOMER]
#define m_ phaseM(disk[MERCHANT])
#define b_ phaseB(b)
#define M_HAS_COMMIT (m_ == M_COMMITTED || m_ == M_CREDITED)
#define C_HAS_COMMIT (c_ == C_PAID)
#define KEY_KNOWN SHOWNANY(COMMIT | BIT(P5al) | BIT(LEAK))

// Invariant 3 at any time: k is out only when the commit is.
#define ALWAYS (ONE_PLACE && ONE_OUTCOME \
  && (HONEST(MERCHANT) && HONEST(ARCHIVE) -> (!KEY_KNOWN || SHOWNANY(COMMIT)) : 1))

// Invariant 7. A lying archive that tells nobody can keep a lock; so can, for its own customer's token, a
// lying bank.
#define ENDS ( \
  (HONEST(BANK) && HONEST(ARCHIVE) -> (b_ != B_LOCKED && b_ != B_LOCKEDx) : 1) \
  && (HONEST(BANK) && !HONEST(ARCHIVE) -> (b_ != B_LOCKED || (c_ < C_PAID && m_ < M_COMMITTED)) : 1) \
  && (HONEST(CUSTOMER) && HONEST(ARCHIVE) -> (c_ >= C_PAID || (c_ == 0 && !HONEST(MERCHANT)) \
    || (c_ == C_AUTHORISED && !HONEST(BANK))) : 1) \
  && (HONEST(MERCHANT) && HONEST(ARCHIVE) -> (m_ == 0 || m_ == M_CREDITED || m_ == M_ABORTED \
    || (m_ == M_COMMITTED && !HONEST(BANK))) : 1))

// Invariant 3 in the end. For C: what the bank took was paid for with k, and k is had only for value, unless
// M or a lying archive gave it away. For M: whoever can read has paid.
#define MONEY_MATCHES_GOODS ( \
  (HONEST(CUSTOMER) && HONEST(BANK) && B_PAID -> (c_ == C_PAID || BOTH) : 1) \
  && (HONEST(CUSTOMER) && HONEST(BANK) && c_ == C_PAID -> (B_PAID || BOTH) : 1) \
  && (HONEST(CUSTOMER) && HONEST(BANK) && (c_ == C_REFUSED || c_ == C_ABORTED) -> (!B_PAID || BOTH) : 1) \
  && (HONEST(MERCHANT) && HONEST(BANK) && HONEST(ARCHIVE) && KEY_KNOWN -> m_ == M_CREDITED : 1) \
  && (HONEST(MERCHANT) && TWO && SHOWNANY(COMMIT) -> SHOWN(SP) : 1))

// Invariant 5, predicates of the judge: nobody honest is convicted; whoever is harmed convicts the liar.
#define NOT_CREDITED (SHOWN(P3M) && (HONEST(ARCHIVE) -> SHOWNANY(COMMIT) : m_ == M_COMMITTED) \
    && !SHOWN(CREDIT))
#define REFUSED_WRONGLY (SHOWN(REFUSAL) && SHOWN(P3M))
#define OPEN_AFTER_COMMIT (SHOWN(OPEN) && SHOWNANY(COMMIT))
#define JUSTICE ( \
  (HONEST(ARCHIVE) -> !OPEN_AFTER_COMMIT : 1) && \
  (HONEST(BANK) -> ((!NOT_CREDITED || SHOWNANY(ABORT)) && !REFUSED_WRONGLY) : 1) \
  && (HONEST(BANK) && B_PAID -> (SHOWN(P2) && SHOWNANY(COMMIT)) : 1) \
  && (!HONEST(BANK) && m_ == M_COMMITTED -> (NOT_CREDITED || SHOWN(CREDIT)) : 1) \
  && (!HONEST(BANK) && c_ == C_REFUSED && SHOWN(P3M) -> REFUSED_WRONGLY : 1))

#define GOAL (b_ == B_SETTLED && (!HONEST(CUSTOMER) || c_ == C_PAID))
#define ALTERNATIVE (b_ == B_RELEASED && (!HONEST(CUSTOMER) || c_ == C_ABORTED))

#include "end.pml"
