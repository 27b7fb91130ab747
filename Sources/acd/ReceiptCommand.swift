// Receipts out of the wallet: as a file, as QR codes on the terminal, as PNG or SVG.

internal import ArgumentParser
import Foundation
import Messages
import PointOfDelivery
import Services

extension WalletCommand {
  struct ReceiptCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "receipt", abstract: "Paid receipts.", subcommands: [Export.self])
  }

  struct Export: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Write a purchase's receipt, which any kiosk verifies offline.",
      discussion:
        "The ending of --out chooses the form: .png and .svg are QR codes, everything else the bytes.")
    @OptionGroup var options: WalletOptions
    @Argument(help: "The purchase's number.") var number: UInt64
    @Option(help: "The file to write.") var out: String?
    @Flag(help: "Show the QR codes on the terminal.") var qr = false

    func run() async throws {
      try await options.withWallet { wallet in
        let bytes = try await wallet.receipt(number).encoded()
        let codes = try ReceiptText.codes(for: bytes)
        if qr {
          for code in codes {
            print(try QRCode(code).terminal(isatty(STDOUT_FILENO) == 1 ? .ansi : .darkBackground))
          }
        }
        let path = out ?? (qr ? nil : "receipt.acd")
        guard let path else { return }
        for (index, file) in try files(path, bytes, codes) {
          try writeFile(index, file)
          print("written: \(index)")
        }
      }
    }

    /// One file, or one for each code.
    private func files(_ path: String, _ bytes: [UInt8], _ codes: [String]) throws -> [(String, [UInt8])] {
      let ending = URL(fileURLWithPath: path).pathExtension.lowercased()
      guard ending == "png" || ending == "svg" else { return [(path, bytes)] }
      return try codes.enumerated().map { index, text in
        let code = try QRCode(text)
        let name = codes.count == 1 ? path : "\(path.dropLast(ending.count + 1))-\(index + 1).\(ending)"
        return (name, ending == "png" ? code.png() : Array(code.svg().utf8))
      }
    }
  }
}
