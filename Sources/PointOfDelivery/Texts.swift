// All that a counter says, in English, German and French. A test holds that each phrase has its text.

/// The languages of the counter.
public enum Language: String, CaseIterable, Sendable {
  case en, de, fr

  /// From "de", "de_CH.UTF-8" and the like; nil for others.
  public init?(tag: String) { self.init(rawValue: String(tag.prefix(2)).lowercased()) }
}

/// Something that is said at the counter.
public enum Phrase: CaseIterable, Sendable {
  case yes, no, working, shelf, reader, printer, here, inDoubtCount, expiredCount, unsynced, nobodyOnDuty
  case parcel, goods, merchant, keptUntil, daysLeft, scanned, wanted, outcome, reason, tries, found, atTime
  case waiting, presentReceipt, checking, scanParcel, fetchParcel, enterPIN, showQR, askCard, tapIgnored
  case handOver, confirmHandOver, pressKey, handedOver, giveProof, withdrawn, backOnShelf, keepIt
  case customerRefuses, partsMissing, clock, keyWord, disk, journalWord, trustList, scanner, characters, good,
    bad
  case refusedByCustomer, refusedDamagedTitle, sendBack, inventoryBoth, failedTitle, failedWhat, openIt
  case receiptBad, receiptAgain, trustOld, noTrust, noParcel, otherOffice, otherOfficeWhat, unreadable
  case notHere, notHereWhat, notArrived, notArrivedWhat, elsewhere, elsewhereWhat, inDoubt, inDoubtWhat
  case holdOver, holdOverWhat, alreadyOut, alreadyOutWhat, wrongParcel, wrongParcelWhat, badLabel,
    badLabelWhat
  case staleAnswer, staleAnswerWhat, notCollector, notCollectorWhat, leaveOver, leaveOverWhat
  case noShelf, knownLabel, nothingAsked, noReason, noInventory, noShift, noShiftWhat, inTime, clockBack
  case clockBackWhat, unresolved, unresolvedWhat, notRecorded, notRecordedWhat
  case wrongPIN, wrongPINWhat, pinBlocked, pinBlockedWhat, pukWhat, replacementWhat, cardGone, cardGoneWhat
  case defaultPIN, defaultPINWhat, noReceiptOnCard, noReceiptOnCardWhat, strangeCard
  case printed, copy, proofOf, arrivedTitle, signedBy, verifyWith, customerKeeps

  /// In this language.
  public func text(_ language: Language) -> String {
    let (english, german, french) = texts
    return switch language {
    case .en: english
    case .de: german
    case .fr: french
    }
  }

  private var texts: (String, String, String) { words ?? steps ?? stops ?? cards! }

  /// Words and labels.
  private var words: (String, String, String)? {
    switch self {
    case .yes: ("YES", "JA", "OUI")
    case .no: ("NO", "NEIN", "NON")
    case .working: ("PLEASE WAIT", "BITTE WARTEN", "PATIENTEZ")
    case .shelf: ("Shelf", "Fach", "Casier")
    case .reader: ("reader", "Leser", "lecteur")
    case .printer: ("printer", "Drucker", "imprimante")
    case .here: ("parcels", "Pakete", "colis")
    case .inDoubtCount: ("IN DOUBT", "UNGEKLÄRT", "EN DOUTE")
    case .expiredCount: ("to pull", "abgelaufen", "expirés")
    case .unsynced: ("unsent", "ungesendet", "non envoyés")
    case .nobodyOnDuty: ("nobody on duty", "niemand im Dienst", "personne en service")
    case .parcel: ("Parcel", "Paket", "Colis")
    case .goods: ("Goods", "Ware", "Article")
    case .merchant: ("From", "Von", "De")
    case .keptUntil: ("Kept until", "Aufbewahrt bis", "Gardé jusqu'au")
    case .daysLeft: ("Days left", "Tage übrig", "Jours restants")
    case .scanned: ("Scanned", "Gescannt", "Scanné")
    case .wanted: ("Wanted", "Gesucht", "Demandé")
    case .outcome: ("Outcome", "Ergebnis", "Résultat")
    case .reason: ("Reason", "Grund", "Motif")
    case .tries: ("Tries left", "Versuche übrig", "Essais restants")
    case .found: ("Found", "Vorgefunden", "Constaté")
    case .atTime: ("At", "Am", "Le")
    case .printed: ("Printed", "Gedruckt", "Imprimé")
    case .copy: ("COPY", "KOPIE", "COPIE")
    case .proofOf: ("Record of a parcel", "Beleg über ein Paket", "Justificatif d'un colis")
    case .arrivedTitle: ("Parcel on the shelf", "Paket im Fach", "Colis dans le casier")
    case .signedBy: ("Signed by kiosk", "Signiert vom Schalter", "Signé par le guichet")
    case .verifyWith:
      (
        "The code holds the signed record", "Der Code enthält den signierten Beleg",
        "Le code contient le justificatif signé"
      )
    case .clock: ("clock", "Uhr", "horloge")
    case .keyWord: ("key", "Schlüssel", "clé")
    case .disk: ("disk", "Platte", "disque")
    case .journalWord: ("journal", "Journal", "journal")
    case .trustList: ("trust list", "Vertrauensliste", "liste de confiance")
    case .scanner: ("scanner", "Scanner", "scanner")
    case .characters: ("printer's characters", "Zeichen des Druckers", "caractères de l'imprimante")
    case .good: ("good", "gut", "bon")
    case .bad: ("NOT GOOD", "NICHT GUT", "PAS BON")
    case .customerKeeps: ("Keep this", "Bitte aufbewahren", "À conserver")
    default: nil
    }
  }

  /// What happens in a visit that goes well, or is refused by the customer.
  private var steps: (String, String, String)? {
    switch self {
    case .waiting: ("Ready", "Bereit", "Prêt")
    case .presentReceipt:
      (
        "Card into the reader, or scan the customer's code",
        "Karte in den Leser oder Code des Kunden scannen",
        "Carte dans le lecteur, ou scannez le code du client"
      )
    case .checking: ("The receipt is being checked", "Der Beleg wird geprüft", "Vérification du reçu")
    case .fetchParcel: ("Paid: fetch the parcel", "Bezahlt: Paket holen", "Payé : cherchez le colis")
    case .scanParcel:
      ("Scan the parcel's label", "Etikett des Pakets scannen", "Scannez l'étiquette du colis")
    case .customerRefuses:
      (
        "Customer refuses: N. Damaged: D and what was found. Wrong goods: X",
        "Kunde lehnt ab: N. Beschädigt: D und Befund. Falsche Ware: X",
        "Le client refuse : N. Endommagé : D et le constat. Mauvais article : X"
      )
    case .partsMissing:
      (
        "More codes of this receipt are missing: scan them", "Weitere Codes dieses Belegs fehlen: scannen",
        "Il manque d'autres codes de ce reçu : scannez-les"
      )
    case .enterPIN:
      (
        "Right parcel. The customer now enters the COUNTER PIN",
        "Richtiges Paket. Kunde gibt die SCHALTER-PIN ein",
        "Bon colis. Le client saisit le PIN GUICHET"
      )
    case .showQR:
      (
        "Without a card: the customer's phone reads this code; scan its answer",
        "Ohne Karte: Telefon des Kunden liest diesen Code; dann dessen Antwort scannen",
        "Sans carte : le téléphone du client lit ce code ; scannez sa réponse"
      )
    case .askCard: ("The card signs", "Die Karte signiert", "La carte signe")
    case .tapIgnored:
      (
        "Ignored: press a key first", "Nicht beachtet: erst eine Taste drücken",
        "Ignoré : appuyez d'abord sur une touche"
      )
    case .handOver: ("HAND THE PARCEL OVER", "PAKET AUSHÄNDIGEN", "REMETTEZ LE COLIS")
    case .confirmHandOver:
      (
        "ENTER: the customer has it. W: not handed over. F: failed for good (lost, wrong goods)",
        "ENTER: Kunde hat es. W: nicht ausgehändigt. F: endgültig misslungen (verloren, falsche Ware)",
        "ENTRÉE : le client l'a. W : non remis. F : échec définitif (perdu, mauvais article)"
      )
    case .pressKey: ("Press a key to go on", "Weiter mit einer Taste", "Une touche pour continuer")
    case .handedOver: ("Handed over and recorded", "Ausgehändigt und verbucht", "Remis et enregistré")
    case .giveProof:
      (
        "Take the card back. P prints the record", "Karte zurückgeben. P druckt den Beleg",
        "Rendez la carte. P imprime le justificatif"
      )
    case .withdrawn: ("Not handed over", "Nicht ausgehändigt", "Non remis")
    case .backOnShelf: ("Put it back on its shelf", "Zurück ins Fach legen", "Remettez-le dans son casier")
    case .keepIt: ("Keep the parcel", "Paket behalten", "Gardez le colis")
    case .refusedByCustomer: ("Refused by the customer", "Vom Kunden abgelehnt", "Refusé par le client")
    case .refusedDamagedTitle:
      ("Refused because of damage", "Wegen Schadens abgelehnt", "Refusé pour dommage")
    case .sendBack:
      (
        "Goes back to the merchant at once", "Geht sofort an den Händler zurück",
        "Retour immédiat au marchand"
      )
    case .inventoryBoth:
      (
        "The customer's card signed what was found. Print it twice: one for each",
        "Die Karte hat den Befund signiert. Zweimal drucken: für beide",
        "La carte a signé le constat. Imprimez-le deux fois"
      )
    case .failedTitle: ("Failed for good", "Endgültig misslungen", "Échec définitif")
    case .failedWhat:
      (
        "The merchant is told. The customer turns to him with this record",
        "Der Händler erfährt es. Der Kunde wendet sich mit diesem Beleg an ihn",
        "Le marchand est informé. Le client s'adresse à lui avec ce justificatif"
      )
    case .openIt:
      (
        "Open it before both, and write down what is in it",
        "Vor beiden öffnen und aufschreiben, was darin ist", "Ouvrez-le devant les deux et notez le contenu"
      )
    default: nil
    }
  }
}
