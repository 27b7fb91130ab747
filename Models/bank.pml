// The bank that locks a token on the customer's authorization and ends the lock on the archive's word alone.
// Shared by core, early, repeated and announced. The model defines before it:
// AUTHORISATION         the message that locks          OTHER_SALE  the same token in another sale
// LOCKED_M, LOCKED_C    the bank's answer to each       REFUSAL, CREDIT
// PAYING, FREEING       sets: an outcome that pays, that frees
// TELLS_PAID, TELLS_FREED  sets: what the bank answers to the customer's question after the end
// MORE_LOCKS            further reactions, or nothing
#define B_LOCKED 1
#define B_SETTLED 2
#define B_RELEASED 3
#define B_REFUSED 4
#define B_UNPROVEN 5 // settled on what honest banks refuse (defects)
#define B_LOCKEDx 6
#define B_RELEASEDx 7
#define ELSEWHERE 8  // flag: the token serves another sale
#define ONE_CREDIT 16
#define b disk[BANK]
#define phaseB(s) ((s) & 7)
#define CREDITS (b / ONE_CREDIT)
#define B_PAID (phaseB(b) == B_SETTLED || phaseB(b) == B_UNPROVEN)
#define HOLDS(s) (phaseB(s) == B_LOCKED || phaseB(s) == B_LOCKEDx || phaseB(s) == B_SETTLED \
    || phaseB(s) == B_UNPROVEN)

// The customer asks the bank too when the archive does not answer.
#ifdef KNOWN_NO_ASKING
#define TOLD(condition, set) 0
#else
#define TOLD(condition, set) IF(condition, set)
#endif
#define owesB(s) (IF(phaseB(s) >= B_LOCKED && phaseB(s) <= B_RELEASED, BIT(LOCKED_M) | BIT(LOCKED_C)) \
  | IF(phaseB(s) == B_SETTLED || phaseB(s) == B_UNPROVEN, BIT(CREDIT)) \
      | IF(phaseB(s) == B_REFUSED, BIT(REFUSAL)) \
  | TOLD(phaseB(s) == B_SETTLED, TELLS_PAID) | TOLD(phaseB(s) == B_RELEASED, TELLS_FREED) \
  | IF(phaseB(s) == B_LOCKEDx, OTHER_LOCK))
#ifndef OTHER_LOCK
#define OTHER_LOCK 0
#endif
#ifndef UNPROVEN
#define UNPROVEN 0
#endif

#if LIAR == BANK
#ifndef SAYS_MORE
#define SAYS_MORE 0
#endif
#define SAYS (BIT(LOCKED_M) | BIT(LOCKED_C) | BIT(REFUSAL) | BIT(CREDIT) | SAYS_MORE)
active proctype Bank() {
  do
  LIE(1, LOCKED_M)
  LIE(SHOWN(AUTHORISATION), LOCKED_C)
  LIE(SHOWN(AUTHORISATION), REFUSAL)
  LIE(SHOWN(LOCKED_M), CREDIT)
  LIE(SHOWN(LOCKED_M), ASK)
#ifdef BANK_LIES
  BANK_LIES
#endif
  :: break
  od;
end: false
}
#else
active proctype Bank() {
end:
  do
  STORE(BANK, owesB)
#ifdef BUG_NO_LOCK
  ON(BANK, phaseB(b) == 0 && GOT(AUTHORISATION), b + B_LOCKED)
#else
  ON(BANK, b == 0 && GOT(AUTHORISATION), B_LOCKED)
#endif
  // For whatever reason, its clock included; once for ever.
  ON(BANK, phaseB(b) == 0 && GOT(AUTHORISATION), b + B_REFUSED)
#ifdef BUG_REFUSAL_FORGOTTEN
  ON(BANK, b == B_REFUSED && SHOWN(REFUSAL) && GOT(AUTHORISATION), B_LOCKED)
#endif
  ON(BANK, !HOLDS(b) && (b & ELSEWHERE) == 0 && GOT(OTHER_SALE), b | ELSEWHERE)
  ON(BANK, phaseB(b) == B_LOCKED && GOTANY(PAYING), b - B_LOCKED + B_SETTLED + ONE_CREDIT)
  ON(BANK, phaseB(b) == B_LOCKED && GOTANY(FREEING), b - B_LOCKED + B_RELEASED)
  ON(BANK, phaseB(b) == B_LOCKED && GOTANY(UNPROVEN), b - B_LOCKED + B_UNPROVEN + ONE_CREDIT)
#ifdef BUG_CREDIT_TWICE
  ON(BANK, phaseB(b) == B_SETTLED && CREDITS < 2 && GOTANY(PAYING), b + ONE_CREDIT)
#endif
#ifdef BUG_CLOCK_UNLOCKS
  ON(BANK, phaseB(b) == B_LOCKED && now >= EXPIRATION, b - B_LOCKED + B_RELEASED)
#endif
#ifdef MORE_LOCKS
  MORE_LOCKS
#endif
  od
}
#endif

// Invariant 2: the token's value is in one place, and credited once.
#define ONE_PLACE (HONEST(BANK) -> \
  (CREDITS <= 1 && (CREDITS == 1) == B_PAID && !((b & ELSEWHERE) && HOLDS(b))) : 1)
