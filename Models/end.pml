// What drives and judges every model; included last. The model defines before it:
// SAYS                 the messages that a liar says of its own (nothing if nobody lies)
// ALWAYS               what holds in every state
// ENDS                 who has come to an end when nothing moves any more (catalogue section 15, invariant 7)
// MONEY_MATCHES_GOODS  invariant 3 in the end
// JUSTICE              invariant 5: nobody honest is convicted; who was harmed convicts the liar
// CLOCK_WAITS          when the expiration is not reached yet (never, if not defined)
// GOAL, ALTERNATIVE    two ends that must both be reachable when nobody lies: scripts/model.sh looks
#ifndef CLOCK_WAITS
#define CLOCK_WAITS 0
#endif
#ifndef SAYS
#define SAYS 0
#endif

active proctype Clock() {
end:
  do
  :: atomic { now < LATER && !(now == 0 && CLOCK_WAITS) -> now++ }
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

// Names what is violated when the trail is replayed; spin itself shows the expanded macro.
#define DEMAND(property, text) \
  if \
  :: (property) -> skip \
  :: else -> printf(text); assert(false) \
  fi

byte ending;
active proctype Judge() {
  do
  :: atomic { !(ALWAYS) -> printf("violated: ALWAYS\n"); assert(false) }
  :: atomic { timeout -> break }
  od;
  atomic {
    DEMAND(ENDS, "violated: ENDS\n");
    DEMAND(MONEY_MATCHES_GOODS, "violated: MONEY_MATCHES_GOODS\n");
    DEMAND(JUSTICE, "violated: JUSTICE\n");
    if
    :: GOAL -> ending = 1
    :: ALTERNATIVE -> ending = 2
    :: else -> ending = 3
    fi
  }
}
