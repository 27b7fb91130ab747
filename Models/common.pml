// What all models share: parties, stores that survive a crash, the network, the clock, liars and the judge.
//
// Network. A message is a bit. `net` is the set of messages on the way. Receiving does not take a message
// out, so each may arrive never, late, often and in any order. Losing takes it out; who owes it sends it
// again. `ever` is the set of all that was sent: what a judge can be shown, and what a liar may replay (it
// reads all but sealed messages).
//
// Stores. A party computes in `mem` and may send only what its `disk` owes (persist before send). A crash
// puts mem back to disk. What a party owes is a function of its disk alone, so it restarts from its store
// alone.
//
// A liar's messages are not lost: not sending them is the same. Each model says which they are (SAYS).
//
// Faults, losses and crashes together, are at most FAULTS in one run: "when faults stop". Every run is then
// finite (scripts/model.sh has spin prove it: no cycle), and what holds in every state where nothing can move
// any more holds at the end of every fair run. That is how liveness is checked here: `timeout` is that end.

#define CUSTOMER 1
#define MERCHANT 2
#define BANK 3
#define ARCHIVE 4

#ifndef LIAR
#define LIAR 0
#endif
#define HONEST(p) (LIAR != p)

#ifndef FAULTS
#define FAULTS 2
#endif

int net, ever;
byte mem[5], disk[5];
byte faults;

#define BIT(m) (1 << (m))
#define GOT(m) ((net & BIT(m)) != 0)
#define GOTANY(set) ((net & (set)) != 0)
#define SHOWN(m) ((ever & BIT(m)) != 0)
#define SHOWNANY(set) ((ever & (set)) != 0)
#define IF(condition, set) ((condition) -> (set) : 0)
#define SEND(set) net = net | (set); ever = ever | (set)

// Planted defect: this party sends before it has written.
#ifndef BUG_SEND_FIRST
#define BUG_SEND_FIRST 0
#endif
#define SENDS_FROM(p) ((BUG_SEND_FIRST == p) -> mem[p] : disk[p])

// An honest party's own steps: write, crash before the write, send what the disk owes.
#define STORE(p, owes) \
  :: atomic { mem[p] != disk[p] -> disk[p] = mem[p] } \
  :: atomic { mem[p] != disk[p] && faults < FAULTS -> mem[p] = disk[p]; faults++ } \
  :: atomic { ((owes(SENDS_FROM(p))) & ~net) != 0 -> SEND(owes(SENDS_FROM(p))) }

// An honest party's reaction: what it has in store and what arrived decide what it will have in store.
#define ON(p, condition, next) :: atomic { mem[p] == disk[p] && (condition) -> mem[p] = next }

// A signed answer that writes nothing. It stands in one line with the writes: from a snapshot it could deny
// what is decided and still being written.
#ifdef BUG_SNAPSHOT
#define IN_LINE(p) 1
#else
#define IN_LINE(p) (mem[p] == disk[p])
#endif
#define ANSWER(p, condition, m) :: atomic { IN_LINE(p) && (condition) && !GOT(m) -> SEND(BIT(m)) }

// A liar's step: it sends what it can form, when it likes, or never.
#define LIE(condition, m) :: atomic { (condition) && !GOT(m) -> SEND(BIT(m)) }

// The archive's clock: before the expiration, exactly at it, after it. The other parties' clocks are free:
// where one of them looks at its clock, the model lets it find either.
#define EXPIRATION 1
#define LATER 2
byte now;

// Whoever holds an outcome gives it to the bank.
#ifdef KNOWN_NO_FORWARD
#define FORWARDED(outcome) 0
#else
#define FORWARDED(outcome) BIT(outcome)
#endif

// An outcome on its way to each party; the models name the messages.
#define COMMIT (BIT(COMMIT_B) | BIT(COMMIT_M) | BIT(COMMIT_C))
#define ABORT (BIT(ABORT_B) | BIT(ABORT_M) | BIT(ABORT_C))
#define BOTH (SHOWNANY(COMMIT) && SHOWNANY(ABORT))
