// Routes without a server: the Range header, problems as JSON, addresses of proxies.

import Foundation
import Testing

@testable import Services

@Suite("Routes and addresses")
struct RouteTests {
  @Test(
    "a range inside the file is taken, clipped to its end",
    arguments: [
      ("bytes=0-", 0, 9), ("bytes=3-", 3, 9), ("bytes=9-", 9, 9), ("bytes=2-4", 2, 4), ("bytes=5-5", 5, 5),
      ("bytes=0-99", 0, 9),
    ] as [(String, UInt64, UInt64)])
  func goodRange(_ header: String, _ first: UInt64, _ last: UInt64) throws {
    let range = try #require(HTTPReply.byteRange(header, size: 10))
    #expect(range.first == first && range.last == last)
  }

  @Test(
    "a range outside the file, of another unit or of another form is none",
    arguments: [
      "bytes=10-", "bytes=4-2", "bytes=-5", "bytes=", "bytes=a-b", "bytes=1-2-3", "bytes=0-1,3-4",
      "items=0-1",
      "0-1", "bytes=-1-2", "bytes=99999999999999999999-", "",
    ])
  func badRange(_ header: String) { #expect(HTTPReply.byteRange(header, size: 10) == nil) }

  @Test("nothing is inside an empty file")
  func emptyFile() { #expect(HTTPReply.byteRange("bytes=0-", size: 0) == nil) }

  @Test("a problem's JSON has its seven members, the status as a number")
  func problem() throws {
    let problem = Problem(
      status: 418, code: "tea", title: "A teapot", detail: "It is \"short\".", money: "safe: none",
      next: "Pour.")
    let object = try JSONSerialization.jsonObject(with: Data(problem.json))
    let members = try #require(object as? [String: Any])
    #expect(
      Set(members.keys) == ["type", "title", "status", "detail", "code", "money", "next"])
    #expect(members["status"] as? Int == 418)
    #expect(!(members["status"] is String))
    let texts = members.compactMapValues { $0 as? String }
    #expect(
      texts == [
        "type": "about:blank", "title": "A teapot", "detail": "It is \"short\".", "code": "tea",
        "money": "safe: none", "next": "Pour.",
      ])
  }

  @Test(
    "a SOCKS proxy with host and port is read",
    arguments: [
      ("socks5h://127.0.0.1:9050", "127.0.0.1", 9050), ("socks5://proxy.example:1080", "proxy.example", 1080),
    ])
  func goodProxy(_ text: String, _ host: String, _ port: Int) throws {
    let proxy = try Transport.parse(text)
    #expect(proxy.host == host && proxy.port == port)
  }

  @Test(
    "anything else is no proxy",
    arguments: [
      "", "127.0.0.1:9050", "http://127.0.0.1:8080", "socks5h://127.0.0.1", "socks5h://:9050",
      "socks5h://user@127.0.0.1:9050", "socks5h://127.0.0.1:9050/path", "socks4://127.0.0.1:9050",
    ])
  func badProxy(_ text: String) {
    #expect(throws: TransportError.badProxy(text)) { try Transport.parse(text) }
  }
}
