import Testing

@testable import Relabel

@Suite("Tables of rows")
struct RowTableTests {
  @Test("Rows with one digest come back in order, others do not")
  func collisions() {
    var table = RowTable(count: 6)
    for digest: UInt64 in [7, 3, 7, .max, 0, 7] { table.append(digest) }
    table.sort()
    #expect(table.rows(of: 7) == [0, 2, 5])
    #expect(table.rows(of: 3) == [1])
    #expect(table.rows(of: .max) == [3])
    #expect(table.rows(of: 0) == [4])
    #expect(table.rows(of: 4) == [])
  }

  @Test("An empty table has no rows")
  func empty() {
    var table = RowTable(count: 0)
    table.sort()
    #expect(table.rows(of: 0) == [])
  }

  @Test("A digest is that of the bytes: accents composed and decomposed differ")
  func exactKeys() {
    #expect("\u{E9}" == "e\u{301}")
    #expect(RowTable.digest("\u{E9}") != RowTable.digest("e\u{301}"))
    let bytes = Array("n01/a".utf8)
    #expect(bytes.withUnsafeBytes { RowTable.digest($0) } == RowTable.digest("n01/a"))
  }
}
