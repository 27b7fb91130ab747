// The archive that publishes one outcome of a lock, shared by core, early and announced. The model defines
// before it:
// SUBMITTED, ASK, CANCEL   what reaches it: k, a question after the expiration, the merchant's Cancel
// COMMIT_B, COMMIT_M, COMMIT_C, ABORT_B, ABORT_M, ABORT_C   what it publishes, on its way to each
// EARLY_ABORT, LATE_COMMIT    what only a defect publishes
// LOCK_SHOWN               whether a liar knows the lock, which it needs to abort it
#define A_COMMITTED 1
#define A_ABORTED 2
#define A_EARLY 3
#define A_LATE 4
#define A_OTHER 5 // see the model
#define A_FLAG 8  // see the model
#define a disk[ARCHIVE]
#define phaseA(s) ((s) & 7)
#define owesA(s) (IF(phaseA(s) == A_COMMITTED, COMMIT) | IF(phaseA(s) == A_ABORTED, ABORT) \
  | IF(phaseA(s) == A_EARLY, BIT(EARLY_ABORT)) | IF(phaseA(s) == A_LATE, BIT(LATE_COMMIT)) \
  | IF(phaseA(s) == A_OTHER, OTHER_COMMIT) | IF((s) & A_FLAG, FLAG_OWES))
#ifndef OTHER_COMMIT
#define OTHER_COMMIT 0
#endif
#ifndef FLAG_OWES
#define FLAG_OWES 0
#endif

#if LIAR == ARCHIVE
#ifndef SAYS_MORE
#define SAYS_MORE 0
#endif
#define SAYS (COMMIT | ABORT | BIT(LEAK) | SAYS_MORE)
active proctype Archive() {
  do
  // It may stamp a commit with an earlier time and an abort with a later one, whatever its clock says.
  LIE(SUBMITTED_EVER, COMMIT_B)
  LIE(SUBMITTED_EVER, COMMIT_M)
  LIE(SUBMITTED_EVER, COMMIT_C)
  LIE(SUBMITTED_EVER, LEAK)
  LIE(LOCK_SHOWN, ABORT_B)
  LIE(LOCK_SHOWN, ABORT_M)
  LIE(LOCK_SHOWN, ABORT_C)
#ifdef ARCHIVE_LIES
  ARCHIVE_LIES
#endif
  :: break
  od;
end: false
}
#else
active proctype Archive() {
end:
  do
  STORE(ARCHIVE, owesA)
#ifdef BUG_LE
  ON(ARCHIVE, phaseA(a) == 0 && SUBMITTED && now == EXPIRATION, a + A_LATE)
#endif
  ON(ARCHIVE, phaseA(a) == 0 && SUBMITTED && now < EXPIRATION, a + A_COMMITTED)
#ifdef BUG_EARLY_ABORT
  ON(ARCHIVE, phaseA(a) == 0 && GOT(ASK) && now < EXPIRATION, a + A_EARLY)
#endif
  ON(ARCHIVE, phaseA(a) == 0 && GOT(ASK) && now >= EXPIRATION, a + A_ABORTED)
  ON(ARCHIVE, phaseA(a) == 0 && GOT(CANCEL), a + A_ABORTED)
#ifdef BUG_COMMITS_AFTER_ABORT
  // M takes its sale back, and hands it in all the same (attack 3).
  ON(ARCHIVE, phaseA(a) == A_ABORTED && SUBMITTED && now < EXPIRATION, a - A_ABORTED + A_COMMITTED)
#endif
#ifdef MORE_RECORDS
  MORE_RECORDS
#endif
  od
}
#endif

// Invariant 4: an honest archive publishes one outcome. A lying one that has two believed leaves both as
// proof.
#define ONE_OUTCOME ((HONEST(ARCHIVE) -> !BOTH : 1) \
  && (phaseB(b) == B_RELEASED && (M_HAS_COMMIT || C_HAS_COMMIT) -> BOTH : 1))
