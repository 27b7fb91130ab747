// What drives and judges every model; included last. The model defines before it:
// SAYS                 the messages that a liar says of its own (nothing if nobody lies)
// ALWAYS               what holds in every state
// ENDS                 who has come to an end when nothing moves any more (catalogue section 15, invariant 7)
// MONEY_MATCHES_GOODS  invariant 3 in the end
// JUSTICE              invariant 5: nobody honest is convicted; who was harmed convicts the liar
// GOAL, ALTERNATIVE    two ends that must both be reachable when nobody lies: scripts/model.sh looks
#ifndef SAYS
#define SAYS 0
#endif

active proctype Clock() {
end:
  do
  :: atomic { now < LATER -> now++ }
  od
}

#define LOSABLE (net & ~(SAYS))
active proctype Network() {
  byte i;
end:
  do
  :: atomic { faults < FAULTS && LOSABLE != 0 ->
      do
      :: LOSABLE & BIT(i) -> net = net & ~BIT(i); faults++; break
      :: (LOSABLE >> i) > 1 -> i++
      od;
      i = 0 }
  od
}

active proctype Judge() {
  do
  :: atomic { !(ALWAYS) -> assert(ALWAYS) }
  :: atomic { timeout -> break }
  od;
  assert(ENDS);
  assert(MONEY_MATCHES_GOODS);
  assert(JUSTICE);
  if
  :: GOAL -> skip
  :: ALTERNATIVE -> skip
  :: else -> skip
  fi
}
