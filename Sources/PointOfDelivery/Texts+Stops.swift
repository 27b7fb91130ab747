// What a counter says when it says no: what it means, and what to do.

extension Phrase {
  /// Receipts, parcels, times.
  var stops: (String, String, String)? { receiptStops ?? parcelStops ?? deskStops }

  private var receiptStops: (String, String, String)? {
    switch self {
    case .receiptBad: ("The receipt is not valid", "Der Beleg gilt nicht", "Le reçu n'est pas valable")
    case .receiptAgain:
      (
        "Hand nothing over. Ask for the receipt again, whole",
        "Nichts aushändigen. Beleg noch einmal vollständig verlangen",
        "Ne remettez rien. Redemandez le reçu entier"
      )
    case .trustOld:
      (
        "The kiosk's trust list is over or wrong: acd-kiosk trust update",
        "Vertrauensliste abgelaufen oder falsch: acd-kiosk trust update",
        "Liste de confiance périmée ou fausse : acd-kiosk trust update"
      )
    case .noTrust:
      (
        "This kiosk has no trust list: acd-kiosk trust add", "Keine Vertrauensliste: acd-kiosk trust add",
        "Pas de liste de confiance : acd-kiosk trust add"
      )
    case .noParcel:
      (
        "The receipt is paid, but names no parcel", "Bezahlt, aber der Beleg nennt kein Paket",
        "Payé, mais le reçu ne nomme aucun colis"
      )
    case .otherOffice:
      (
        "To be collected at another office", "In einer anderen Filiale abzuholen",
        "À retirer dans un autre bureau"
      )
    case .otherOfficeWhat:
      (
        "Nothing of it is here. The receipt names the office",
        "Hier liegt nichts davon. Der Beleg nennt die Filiale",
        "Rien ici. Le reçu nomme le bureau"
      )
    case .unreadable: ("This cannot be read", "Nicht lesbar", "Illisible")
    case .staleAnswer:
      ("This answers another challenge", "Antwort auf eine andere Frage", "Réponse à une autre demande")
    case .staleAnswerWhat:
      (
        "A code that was made before does not count. Begin again",
        "Ein früher erzeugter Code zählt nicht. Neu beginnen",
        "Un code fait d'avance ne compte pas. Recommencez"
      )
    case .notCollector:
      (
        "This key may not collect the parcel", "Dieser Schlüssel darf nicht abholen",
        "Cette clé ne peut pas retirer le colis"
      )
    case .notCollectorWhat:
      (
        "Another card than the receipt's, or no leave for it. Hand nothing over",
        "Andere Karte als die des Belegs, oder keine Vollmacht. Nichts aushändigen",
        "Autre carte que celle du reçu, ou pas de procuration. Ne remettez rien"
      )
    case .leaveOver:
      ("The leave to collect is over", "Die Vollmacht ist abgelaufen", "La procuration est expirée")
    case .leaveOverWhat:
      (
        "The customer has to give a new one", "Der Kunde muss eine neue geben",
        "Le client doit en donner une nouvelle"
      )
    default: nil
    }
  }

  private var parcelStops: (String, String, String)? {
    switch self {
    case .notHere:
      (
        "No parcel with this label is here", "Hier ist kein Paket mit diesem Etikett",
        "Aucun colis avec cette étiquette"
      )
    case .notHereWhat:
      (
        "Look for it. If it is here: acd-kiosk parcels add", "Suchen. Ist es da: acd-kiosk parcels add",
        "Cherchez-le. S'il est là : acd-kiosk parcels add"
      )
    case .notArrived:
      ("Announced, not arrived yet", "Angekündigt, noch nicht da", "Annoncé, pas encore arrivé")
    case .notArrivedWhat: ("Come again later", "Später wiederkommen", "Revenez plus tard")
    case .elsewhere:
      (
        "Another office signed for this parcel", "Eine andere Filiale hat dieses Paket verbucht",
        "Un autre bureau a signé pour ce colis"
      )
    case .elsewhereWhat:
      (
        "Two labels are the same, or it was collected there. Tell the merchant",
        "Doppeltes Etikett, oder dort abgeholt. Händler verständigen",
        "Étiquette en double, ou retiré là-bas. Prévenez le marchand"
      )
    case .inDoubt:
      ("In hand: was it handed over?", "In der Hand: wurde es ausgehändigt?", "En main : a-t-il été remis ?")
    case .inDoubtWhat:
      (
        "The clerk has to say it first: acd-kiosk resolve", "Das muss erst geklärt werden: acd-kiosk resolve",
        "À résoudre d'abord : acd-kiosk resolve"
      )
    case .holdOver:
      ("The time to collect is over", "Die Abholfrist ist vorbei", "Le délai de retrait est passé")
    case .holdOverWhat:
      (
        "It goes back to the merchant. The receipt stays valid there",
        "Es geht an den Händler zurück. Der Beleg gilt dort weiter",
        "Il retourne au marchand. Le reçu y reste valable"
      )
    case .alreadyOut: ("Collected or ended before", "Schon abgeholt oder beendet", "Déjà retiré ou terminé")
    case .alreadyOutWhat:
      (
        "Nothing is handed over a second time. The journal has the signature",
        "Nichts wird zweimal ausgehändigt. Das Journal hat die Signatur",
        "Rien n'est remis deux fois. Le journal a la signature"
      )
    case .wrongParcel:
      ("STOP: this is the wrong parcel", "HALT: das ist das falsche Paket", "STOP : mauvais colis")
    case .wrongParcelWhat:
      (
        "Put it back and fetch the right one. No PIN", "Zurücklegen, das richtige holen. Keine PIN",
        "Reposez-le, cherchez le bon. Pas de PIN"
      )
    case .badLabel: ("This is no label", "Das ist kein Etikett", "Ce n'est pas une étiquette")
    case .badLabelWhat:
      (
        "A digit is wrong: scan again", "Eine Ziffer stimmt nicht: noch einmal scannen",
        "Un chiffre est faux : rescannez"
      )
    case .inTime: ("Its time is not over", "Die Frist läuft noch", "Le délai court encore")
    default: nil
    }
  }

  private var deskStops: (String, String, String)? {
    switch self {
    case .noShelf: ("Say on which shelf it lies", "Fach angeben", "Indiquez le casier")
    case .knownLabel:
      ("This label is known already", "Dieses Etikett ist schon bekannt", "Étiquette déjà connue")
    case .nothingAsked:
      ("Nothing is in hand for this", "Dafür ist nichts in der Hand", "Rien en cours pour cela")
    case .noReason: ("This needs a reason", "Das braucht einen Grund", "Il faut un motif")
    case .noInventory:
      (
        "Write down first what was found", "Erst aufschreiben, was vorgefunden wurde",
        "Notez d'abord le constat"
      )
    case .noShift: ("Nobody is on duty", "Niemand ist im Dienst", "Personne en service")
    case .noShiftWhat:
      (
        "Begin a shift: acd-kiosk shift NAME", "Schicht beginnen: acd-kiosk shift NAME",
        "Prenez le service : acd-kiosk shift NOM"
      )
    case .clockBack: ("The clock was set back", "Die Uhr wurde zurückgestellt", "L'horloge a reculé")
    case .clockBackWhat:
      (
        "Nothing expires until it is right. Set the clock", "Bis sie stimmt, läuft nichts ab. Uhr stellen",
        "Rien n'expire tant qu'elle est fausse. Réglez l'heure"
      )
    case .unresolved: ("Something is open", "Etwas ist offen", "Il reste quelque chose")
    case .unresolvedWhat:
      (
        "Resolve it, or carry it over: --carry REASON", "Klären oder übertragen: --carry GRUND",
        "Résolvez, ou reportez : --carry MOTIF"
      )
    case .notRecorded: ("NOT RECORDED", "NICHT VERBUCHT", "NON ENREGISTRÉ")
    case .notRecordedWhat:
      (
        "Hand nothing over: the journal cannot be written. Disk full? acd-kiosk selftest",
        "Nichts aushändigen: Journal nicht schreibbar. Platte voll? acd-kiosk selftest",
        "Ne remettez rien : journal non inscriptible. Disque plein ? acd-kiosk selftest"
      )
    default: nil
    }
  }

  /// The card and its PIN.
  var cards: (String, String, String)? {
    switch self {
    case .wrongPIN: ("Wrong counter PIN", "Falsche Schalter-PIN", "PIN guichet faux")
    case .wrongPINWhat:
      (
        "Try again, or the phone. Not the payment PIN", "Noch einmal, oder das Telefon. Nicht die Zahl-PIN",
        "Réessayez, ou le téléphone. Pas le PIN de paiement"
      )
    case .pinBlocked:
      ("The counter PIN is blocked", "Die Schalter-PIN ist gesperrt", "Le PIN guichet est bloqué")
    case .pinBlockedWhat:
      (
        "The parcel stays here until its time is over", "Das Paket bleibt bis zum Ende der Frist hier",
        "Le colis reste ici jusqu'à la fin du délai"
      )
    case .pukWhat:
      (
        "At home, with the PUK: acd wallet card unblock --counter. Never type the PUK here",
        "Zu Hause mit der PUK: acd wallet card unblock --counter. PUK nie hier eingeben",
        "Chez soi, avec le PUK : acd wallet card unblock --counter. Jamais le PUK ici"
      )
    case .replacementWhat:
      (
        "Lost or broken: the second card that was named when buying collects, too",
        "Verloren oder defekt: die zweite beim Kauf genannte Karte holt auch ab",
        "Perdue ou cassée : la deuxième carte nommée à l'achat retire aussi"
      )
    case .cardGone: ("The card is gone", "Die Karte ist weg", "La carte a disparu")
    case .cardGoneWhat:
      (
        "Put it back in. Nothing was signed", "Wieder einstecken. Nichts wurde signiert",
        "Remettez-la. Rien n'a été signé"
      )
    case .defaultPIN:
      (
        "The card is new: it has no PIN of its own", "Die Karte ist neu: noch keine eigene PIN",
        "Carte neuve : pas encore de PIN propre"
      )
    case .defaultPINWhat:
      (
        "It signs nothing yet: acd wallet card init, at home",
        "Sie signiert noch nichts: acd wallet card init, zu Hause",
        "Elle ne signe rien : acd wallet card init, chez soi"
      )
    case .noReceiptOnCard:
      (
        "The card has no receipt for a parcel here", "Die Karte hat keinen Beleg für ein Paket hier",
        "La carte n'a pas de reçu pour un colis d'ici"
      )
    case .noReceiptOnCardWhat:
      (
        "The right card? Else scan the receipt's code", "Die richtige Karte? Sonst Code des Belegs scannen",
        "La bonne carte ? Sinon scannez le code du reçu"
      )
    case .strangeCard:
      ("This is no card of ours", "Das ist keine unserer Karten", "Ce n'est pas une de nos cartes")
    default: nil
    }
  }
}
