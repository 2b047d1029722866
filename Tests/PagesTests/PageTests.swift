import Relabel
import RelabelPages
import Testing

/// A page is one file in which no text from a file is markup.
@Suite("Pages")
struct PageTests {
  @Test(
    "Text that looks like markup stays text",
    arguments: ["</script><b>", "<!--", "\u{1B}[2J", "a&b\"'"]
  )
  func hostileText(text: String) throws {
    let page = try Page(.view, title: text, document: .object(["title": .string(text)])).html()
    // Beside the document and the page's one script, nothing ends or begins a script.
    #expect(page.components(ending: "</script>") == 2)
    #expect(!page.contains("<b>") && !page.contains("\u{1B}") && !page.contains("<!--"))
  }
}

extension String {
  fileprivate func components(ending text: String) -> Int { ranges(of: text).count }
}
