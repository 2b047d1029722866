import Relabel
import Testing

@Suite("The contract")
struct ContractTests {
  @Test("spec/contract.json is what the library prints")
  func document() throws {
    let parts = #filePath.split(separator: "/").dropLast(3)
    let path = "/" + parts.joined(separator: "/") + "/spec/contract.json"
    let stored = try JSON(parsing: Folder.contents(path, limit: 1 << 20))
    #expect(
      try stored.canonical() == Contract.document().canonical(),
      "relabel-conformance contract > spec/contract.json"
    )
  }

  @Test("Every rule's id is its own, and its stage is its first letter")
  func ids() {
    #expect(Set(Rule.allCases.map(\.id)).count == Rule.allCases.count)
    for rule in Rule.allCases { #expect(rule.id.first == rule.stage.rawValue) }
  }
}
