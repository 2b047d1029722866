import RelabelFormat
import Testing

@Suite("Lists from any editor")
struct TextListTests {
  static let mark: [UInt8] = [0xEF, 0xBB, 0xBF]

  static let endings: [(String, [UInt8])] = [
    ("LF", Array("a\tb\nc\td\n".utf8)),
    ("CR LF", Array("a\tb\r\nc\td\r\n".utf8)),
    ("CR", Array("a\tb\rc\td\r".utf8)),
    ("mixed", Array("a\tb\r\nc\td".utf8)),
    ("none at the end", Array("a\tb\nc\td".utf8)),
    ("byte order mark", mark + Array("a\tb\r\nc\td\r\n".utf8)),
    ("blank lines at the end", Array("a\tb\nc\td\n\n \t\r\n\n".utf8)),
    ("blanks at the end of lines", Array("a\tb  \nc\td\t\t\n".utf8)),
    ("quotes", Array("\"a\"\tb\n\"c\"\t\"d\"\n".utf8)),
  ]

  @Test("are one list, however their lines end", arguments: endings)
  func sameList(_ name: String, _ bytes: [UInt8]) throws {
    let text = String(decoding: try TextList.text(bytes, file: "list"), as: UTF8.self)
    let classes = try ClassTable(parsing: text, file: "list")
    #expect(classes.entries == [.init(id: "a", name: "b"), .init(id: "c", name: "d")])
    #expect(try TextList.lines(bytes, file: "list").count == 2)
  }

  static let refused: [(String, [UInt8], String)] = [
    ("UTF-16", [0xFF, 0xFE, 0x61, 0], "UTF-16"),
    ("big-endian UTF-16", [0xFE, 0xFF, 0, 0x61], "iconv -f UTF-16 -t UTF-8"),
    ("UTF-32", [0xFF, 0xFE, 0, 0, 0x61, 0, 0, 0], "UTF-32"),
    ("UTF-16 without its mark", [0x61, 0, 0x0A, 0], "line 1 holds a null byte"),
    ("a null byte", Array("a\nb\0\nc\n".utf8), "line 2 holds a null byte"),
    ("Latin-1", Array("a\r\nb".utf8) + [0xE9, 0x0A], "line 2 is not UTF-8"),
    ("a blank line between", Array("a\r\n\r\nb\r\n".utf8), "line 2 is blank"),
    ("a blank first line", Array("\na\n".utf8), "line 1 is blank"),
    (
      "a git-lfs pointer",
      Array("version https://git-lfs.github.com/spec/v1\noid sha256:00\n".utf8),
      "git lfs pull"
    ),
  ]

  @Test("are refused by line with what to do", arguments: refused)
  func refusal(_ name: String, _ bytes: [UInt8], _ says: String) {
    let error = #expect(throws: RelabelError.self) { try TextList.lines(bytes, file: "list.txt") }
    #expect(error?.code == .usage)
    #expect(error?.message.contains(says) == true, "\(error?.message ?? "")")
    #expect(error?.location.file == "list.txt")
  }

  @Test(
    "lose the quotes of a spreadsheet and no others",
    arguments: [
      ("\"a b\"", "a b"), ("\"a \"\"b\"\"\"", "a \"b\""), ("\"a\" and \"b\"", "\"a\" and \"b\""),
      ("a\"b", "a\"b"), ("\"", "\""), ("\"\"", ""), ("\"a\"\"", "\"a\"\""), ("'a'", "'a'"),
    ]
  )
  func quotes(_ field: String, _ meant: String) {
    #expect(TextList.unquoted(field) == meant)
  }
}
