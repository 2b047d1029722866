import RelabelServer
import Testing

@Suite("Who may ask the local server")
struct GateTests {
  private let gate = Gate(token: "0123456789abcdef0123456789abcdef", port: 4711)

  private func status(
    _ method: String = "GET",
    _ address: String = "/state",
    _ headers: [String: [String]] = [:]
  ) -> Int {
    let own = ["host": ["127.0.0.1:4711"], Gate.header: [gate.token]]
    let all = own.merging(headers) { _, given in given }
    switch gate.admit(method, address, { all[$0] ?? [] }) {
    case .success: return 200
    case .failure(let refusal): return refusal.status
    }
  }

  @Test("The own page may, by either name of this machine")
  func own() {
    #expect(status() == 200)
    #expect(status("GET", "/state", ["host": ["localhost:4711"]]) == 200)
    #expect(status("GET", "/state", ["origin": ["http://127.0.0.1:4711"]]) == 200)
    #expect(status("GET", "/state", ["sec-fetch-site": ["same-origin"]]) == 200)
    #expect(status("GET", "/?token=\(gate.token)", [Gate.header: []]) == 200)
    #expect(status("POST", "/mark", ["content-type": ["application/json"]]) == 200)
  }

  @Test(
    "Another host, origin or site may not",
    arguments: [
      ["host": ["evil.example:4711"]], ["host": ["127.0.0.1"]], ["host": ["127.0.0.1:80"]],
      ["host": []],
      ["host": ["127.0.0.1:4711", "evil.example"]], ["origin": ["null"]],
      ["origin": ["http://evil.example"]],
      ["origin": ["https://127.0.0.1:4711"]], ["origin": ["http://127.0.0.1:4712"]],
      ["sec-fetch-site": ["cross-site"]], ["sec-fetch-site": ["same-site"]],
    ]
  )
  func others(headers: [String: [String]]) { #expect(status("GET", "/state", headers) == 403) }

  @Test("Nobody may without the token")
  func token() {
    for given in [
      [], [""], ["0123456789abcdef0123456789abcdee"], [gate.token + "0"], [gate.token, gate.token],
    ] {
      #expect(status("GET", "/state", [Gate.header: given]) == 403)
    }
    // In the address it counts for the page itself only.
    #expect(status("GET", "/state?token=\(gate.token)", [Gate.header: []]) == 403)
    #expect(status("GET", "/?token=", [:]) == 403)
    #expect(status("GET", "/", [:]) == 403)
    #expect(Gate.newToken().utf8.count == 32 && Gate.newToken() != Gate.newToken())
  }

  @Test("Other methods, types and addresses are refused")
  func forms() {
    #expect(status("PUT") == 405 && status("OPTIONS") == 405)
    #expect(status("POST", "/mark", ["content-type": ["text/plain"]]) == 415)
    #expect(status("POST", "/mark") == 415)
    #expect(status("GET", "/" + String(repeating: "a", count: 5000)) == 414)
    #expect(status("GET", "/images?key=%FF") == 400 && status("GET", "/images?key=%2") == 400)
  }

  @Test("Fields are decoded, paths are not")
  func requests() throws {
    let request = try #require(Request(.get, address: "/picture/%2e%2e?at=12&key=a%2Fb+c&at=13&x"))
    #expect(request.path == "/picture/%2e%2e")
    #expect(
      request.number("at") == 13 && request.fields["key"] == "a/b c" && request.fields["x"] == ""
    )
    #expect(request.number("key") == nil && request.number("none") == nil)
    for text in ["-1", "1e3", "9999999999999", "", " 1"] {
      #expect(
        Request(.get, address: "/?at=\(text.replacing(" ", with: "%20"))")?.number("at") == nil
      )
    }
  }
}
