/// Who may ask: the page that this server has sent, and nobody else.
///
/// Any web site may send requests to a server on this machine, and name a host of its own that leads here (DNS rebinding).
/// So the host has to be this one, the page one of this server, and the token the one that was printed.
package struct Gate: Sendable {
  /// What the page keeps, and sends in a header.
  package let token: String
  private let hosts: [String]

  /// The header that carries the token.
  package static let header = "x-relabel-token"
  /// The longest address, in bytes.
  static let maximumAddressBytes = 4096
  /// The largest body, in bytes.
  static let maximumBodyBytes = 32 << 10

  /// Makes a gate.
  ///
  /// - Parameters:
  ///   - token: nil for a new one of 128 random bits.
  ///   - port: where the server listens.
  package init(token: String? = nil, port: Int) {
    self.token = token ?? Self.newToken()
    hosts = ["127.0.0.1:\(port)", "localhost:\(port)"]
  }

  /// 128 random bits, hexadecimal.
  package static func newToken() -> String {
    var random = SystemRandomNumberGenerator()
    return (0..<2).map { _ in
      let digits = String(random.next() as UInt64, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
  }

  /// Lets a request in, or says why not.
  ///
  /// - Parameters:
  ///   - method: the word of HTTP.
  ///   - address: what follows it.
  ///   - headers: gives all values of a header, named in lower case.
  /// - Returns: the request, or why it is not let in.
  package func admit(
    _ method: String,
    _ address: String,
    _ headers: (String) -> [String]
  ) -> Result<Request, Refusal> {
    guard address.utf8.count <= Self.maximumAddressBytes else {
      return .failure(Refusal(414, "the address is too long"))
    }
    guard let host = headers("host").onlyValue, hosts.contains(host.lowercased()) else {
      return .failure(
        Refusal(403, "the host is another: open the address that 'relabel browse' printed")
      )
    }
    if let origins = headers("origin").nonEmpty, !origins.allSatisfy({ isOwn(origin: $0) }) {
      return .failure(Refusal(403, "another site asks"))
    }
    let sites = headers("sec-fetch-site")
    guard sites.allSatisfy({ ["same-origin", "none"].contains($0) }) else {
      return .failure(Refusal(403, "another site asks"))
    }
    guard let method = Request.Method(rawValue: method) else {
      return .failure(Refusal(405, "only GET and POST are understood"))
    }
    guard let request = Request(method, address: address) else {
      return .failure(Refusal(400, "the address is not UTF-8"))
    }
    // Only who opens the printed address has no header to put the token in.
    let given =
      request.path == "/" && method == .get
      ? request.fields["token"] : headers(Self.header).onlyValue
    guard let given, isToken(given) else {
      return .failure(
        Refusal(
          403,
          "the token is missing or another: open the address that 'relabel browse' printed"
        )
      )
    }
    // A form of another site can't send this type without asking first.
    if method == .post, headers("content-type").onlyValue != "application/json" {
      return .failure(Refusal(415, "the body has to be application/json"))
    }
    return .success(request)
  }

  /// Why a request is not answered.
  package struct Refusal: Error {
    /// The status of HTTP.
    package let status: Int
    /// What is wrong, for people.
    package let text: String

    init(_ status: Int, _ text: String) { (self.status, self.text) = (status, text) }
  }

  private func isOwn(origin: String) -> Bool { hosts.contains { origin == "http://\($0)" } }

  /// Compares in the same time wherever the first difference is.
  private func isToken(_ given: String) -> Bool {
    let (one, other) = (Array(token.utf8), Array(given.utf8))
    guard one.count == other.count else { return false }
    return zip(one, other).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
  }
}

extension [String] {
  /// The value of a header that has to be there once.
  fileprivate var onlyValue: String? { count == 1 ? self[0] : nil }

  fileprivate var nonEmpty: [String]? { isEmpty ? nil : self }
}
