// Customers who give up some of their anonymity: a pseudonym that they keep, the account's own key, one key
// for several tokens. And some who pay with what is left of tokens, and exchange it.

import Messages

/// As whom a customer signs for a purchase.
enum Signature: Equatable {
  /// A pseudonym that is used once.
  case fresh
  /// One that the merchant has seen before, perhaps.
  case pseudonym(String)
  /// The account's key, for pseudonym and tokens.
  case account
}

extension World {
  /// Draws who is known to whom: one customer stays anonymous always, and the two others are not.
  func planNames() {
    let dice = Dice(scenario.seed, "names")
    let customers = hosts.filter(\.isCustomer)
    let anonymous = dice.below(customers.count)
    for (number, host) in customers.enumerated() where number != anonymous {
      for index in host.plan.indices {
        switch dice.below(4) {
        case 0:
          let name = dice.pick(["at home", "at work"])
          host.plan[index].signs = .pseudonym(name)
          if !host.pseudonyms.contains(name) { host.pseudonyms.append(name) }
        case 1:
          host.plan[index].signs = .account
          host.namesItself = true
        default: break
        }
      }
    }
    for host in customers {
      for index in host.plan.indices {
        host.plan[index].reusesKey = dice.oneIn(3)
        if dice.oneIn(4) { host.plan[index].refreshes = true }
      }
    }
  }
}
