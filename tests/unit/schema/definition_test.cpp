#include "schema/definition.hpp"

#include <gtest/gtest.h>

#include <oas/error.hpp>

namespace {

using oas::db::Default;
using oas::schema::parse_definition;

struct Refusal {
  std::string word, target;
};
Refusal refusal(std::string_view text) {
  try {
    parse_definition(text);
  } catch (const oas::Error& e) {
    EXPECT_EQ(e.code(), oas::Errc::definition);
    return {e.what(), e.target()};
  }
  return {"accepted", "accepted"};
}

TEST(ParseDefinition, SplitsLines) {
  const auto d =
      parse_definition("\r\n  # the table \r\n\n  id:int32\n# remark\n--- below\n---\n\tx :\tint8 # tab\tbed\n");
  EXPECT_EQ(d.comment, "the table");
  ASSERT_EQ(d.attributes.size(), 2u);
  EXPECT_TRUE(d.attributes[0].in_key);
  EXPECT_FALSE(d.attributes[1].in_key);
  EXPECT_EQ(d.attributes[1].type, "int8");
  EXPECT_EQ(d.attributes[1].comment, "tab      bed");  // up to column 24 of the line
}

TEST(ParseDefinition, TakesACommentOfTheTableInTheFirstLineOnly) {
  EXPECT_EQ(parse_definition("id : int32\n# later").comment, "");
  EXPECT_EQ(parse_definition("#\nid : int32").comment, "");
}

TEST(ParseDefinition, MayBeEmpty) { EXPECT_TRUE(parse_definition(" \n ").order.empty()); }

TEST(ParseDefinition, ReadsDefaults) {
  const auto d = parse_definition(R"(---
    a = : int32
    b=NULL : int32
    c=5 : int32
    d="it's: #1" : varchar(20)
    e='it''s "x"' : varchar(20)
    f=two words : varchar(20)
    g=current_timestamp(3) : datetime(3)
    h=True : bool
    i="null" : varchar(4))");
  const auto is = [&](std::size_t i, Default::Kind kind, const char* text) {
    EXPECT_EQ(d.attributes[i].fallback, (Default{kind, text})) << d.attributes[i].name;
  };
  is(0, Default::Kind::none, "");
  is(1, Default::Kind::null, "");
  is(2, Default::Kind::literal, "5");
  is(3, Default::Kind::literal, "it's: #1");
  is(4, Default::Kind::literal, "it's \"x\"");
  is(5, Default::Kind::literal, "two words");
  is(6, Default::Kind::now, "current_timestamp(3)");
  is(7, Default::Kind::literal, "True");
  is(8, Default::Kind::literal, "null");
  EXPECT_TRUE(d.attributes[1].nullable);
  EXPECT_FALSE(d.attributes[0].nullable);
}

TEST(ParseDefinition, ReadsCodecs) {
  const auto d = parse_definition("id : int32\n---\na : <blob>\nb : <blob@>\nc : < npy @ raw ># x");
  EXPECT_EQ(d.attributes[1].codec, "blob");
  EXPECT_FALSE(d.attributes[1].in_store);
  EXPECT_TRUE(d.attributes[2].in_store);
  EXPECT_EQ(d.attributes[2].store, "");
  EXPECT_EQ(d.attributes[3].codec, "npy");
  EXPECT_EQ(d.attributes[3].store, "raw");
  EXPECT_EQ(d.attributes[3].comment, "x");
}

TEST(ParseDefinition, ReadsReferences) {
  const auto d = parse_definition(R"(
    -> Subject
    ->lab.Session # which
    ---
    -> [ Nullable , UNIQUE ] Rig.proj( a = 'rig', b="x_1" )
    -> master.Part.proj())");
  ASSERT_EQ(d.references.size(), 4u);
  EXPECT_EQ(d.references[1].target, "lab.Session");
  EXPECT_TRUE(d.references[1].in_key);
  EXPECT_EQ(d.references[2].target, "Rig");
  EXPECT_TRUE(d.references[2].nullable);
  EXPECT_TRUE(d.references[2].unique);
  EXPECT_EQ(d.references[2].names, (decltype(d.references[2].names){{"a", "rig"}, {"b", "x_1"}}));
  EXPECT_EQ(d.references[3].target, "master.Part");
}

TEST(ParseDefinition, ReadsIndexes) {
  const auto d = parse_definition("index : int32\nb : int8\nINDEX (index)\nunique  index( index , b ) # both");
  ASSERT_EQ(d.indexes.size(), 2u);
  EXPECT_TRUE(d.indexes[1].unique);
  EXPECT_EQ(d.indexes[1].attributes, (std::vector<std::string>{"index", "b"}));
}

TEST(ParseDefinition, SaysWhereAndWhy) {
  const Refusal r = refusal("\n  id : int32\n  ---\n  x : int33  # what\n");
  EXPECT_EQ(r.target, "line 4, column 7 of the definition");
  EXPECT_TRUE(r.word.ends_with("\n    x : int33  # what\n        ^")) << r.word;
  EXPECT_NE(r.word.find("unknown_type"), std::string::npos) << r.word;
}

struct Mistaken {
  const char* word;
  const char* text;
};
class Mistakes : public testing::TestWithParam<Mistaken> {};
TEST_P(Mistakes, AreNamed) {
  const Refusal r = refusal(GetParam().text);
  EXPECT_NE(r.word.find(std::string("(") + GetParam().word + ")"), std::string::npos) << GetParam().text << "\n"
                                                                                      << r.word;
}
INSTANTIATE_TEST_SUITE_P(
    All, Mistakes,
    testing::Values(
        Mistaken{"bad_name", "1x : int32"}, Mistaken{"bad_name", "größe : int32"}, Mistaken{"bad_name", ": int32"},
        Mistaken{"bad_name", "a-b : int32"}, Mistaken{"bad_name", "--"}, Mistaken{"name_not_lower_case", "xY : int32"},
        Mistaken{"hidden_name", "_x : int32"}, Mistaken{"missing_colon", "x int32"}, Mistaken{"missing_colon", "x"},
        Mistaken{"missing_colon", "x = 5"}, Mistaken{"missing_colon", "x # c : int32"}, Mistaken{"missing_type", "x :"},
        Mistaken{"missing_type", "x : # int32"}, Mistaken{"unknown_type", "x : int33"},
        Mistaken{"unknown_type", "x : int32 : y"}, Mistaken{"unknown_type", "x : int32 NOT NULL"},
        Mistaken{"unknown_type", "x : 'int32'"}, Mistaken{"unknown_type", "x : uint8"},
        Mistaken{"type_not_lower_case", "x : Int32"}, Mistaken{"type_not_lower_case", "x : ENUM('a')"},
        Mistaken{"type_not_lower_case", "x : char (4)"}, Mistaken{"bad_type_parameter", "x : varchar"},
        Mistaken{"bad_type_parameter", "x : varchar(0)"}, Mistaken{"bad_type_parameter", "x : varchar(999999999999)"},
        Mistaken{"bad_type_parameter", "x : datetime(9)"}, Mistaken{"bad_type_parameter", "x : decimal(3,5)"},
        Mistaken{"bad_type_parameter", "x : decimal(5,2,1)"}, Mistaken{"unknown_type", "x : int(5) x (y)"},
        Mistaken{"bad_enum", "x : enum()"}, Mistaken{"bad_enum", "x : enum(1,1)"},
        Mistaken{"bad_enum", "x : enum(a:b)"}, Mistaken{"bad_enum", "x : enum('a','a')"},
        Mistaken{"bad_enum", "x : enum('a''b',\"a'b\")"}, Mistaken{"bad_enum", "x : enum('a' 'b')"},
        Mistaken{"bad_enum", "x : enum('a',)"}, Mistaken{"bad_codec", "---\nx : <>"},
        Mistaken{"bad_codec", "---\nx : <Blob>"}, Mistaken{"bad_codec", "---\nx : <blob@a:b>"},
        Mistaken{"codec_needs_a_store", "---\nx : <npy>"}, Mistaken{"text_after_codec", "---\nx : <blob> y"},
        Mistaken{"unclosed_bracket", "---\nx : <blob"}, Mistaken{"unclosed_quote", "x='a : varchar(5)"},
        Mistaken{"unclosed_quote", "x=it's : varchar(5)"}, Mistaken{"unclosed_quote", "x : enum('a)"},
        Mistaken{"unclosed_quote", "x='a' b : varchar(9)"}, Mistaken{"bad_default", "x=a : int32"},
        Mistaken{"bad_default", "x=128 : int8"}, Mistaken{"bad_default", "x=-129 : int8"},
        Mistaken{"bad_default", "x=9223372036854775808 : int64"},
        Mistaken{"bad_default", "x=99999999999999999999999 : int64"}, Mistaken{"bad_default", "x=1.2.3 : float64"},
        Mistaken{"bad_default", "x=5 : bool"}, Mistaken{"bad_default", "x='2020-13-45' : date"},
        Mistaken{"bad_default", "x='2021-02-29' : date"}, Mistaken{"bad_default", "x=abc : varchar(2)"},
        Mistaken{"bad_default", "x=c : enum('a','b')"}, Mistaken{"bad_default", "x=NULL() : int32"},
        Mistaken{"bad_default", "x=CURRENT_TIMESTAMP : int32"}, Mistaken{"default_not_allowed", "---\nx=1 : bytes"},
        Mistaken{"default_not_allowed", "---\nx=a : <blob>"}, Mistaken{"default_null_in_key", "x=null : int32"},
        Mistaken{"type_not_in_key", "x : json"}, Mistaken{"type_not_in_key", "x : <blob>"},
        Mistaken{"comment_begins_with_colon", "#: t\nx : int32"},
        Mistaken{"comment_begins_with_colon", "x : int32 #: c"}, Mistaken{"type_not_lower_case", "x : decimal (5,2)"},
        Mistaken{"unknown_type", "x : int(11)unsigned"},
        Mistaken{"name_too_long", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab : int8"},
        Mistaken{"not_text", "x : int32 # \xff"}, Mistaken{"not_text", "x : int32 # \xed\xa0\x80"},
        Mistaken{"bad_default", "x=CURRENT_TIMESTAMP(9) : datetime(6)"},
        Mistaken{"bad_default", "x=CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3) : datetime(3)"},
        Mistaken{"arrow_not_first", "x=a->b : varchar(9)"}, Mistaken{"bad_reference_option", "-> [optional] A"},
        Mistaken{"bad_reference_option", "-> [] A"}, Mistaken{"bad_reference_option", "---\n-> [nullable A"},
        Mistaken{"nullable_reference_in_key", "-> [nullable] A"}, Mistaken{"bad_reference", "->"},
        Mistaken{"bad_reference", "-> A & 'x=1'"}, Mistaken{"bad_reference", "-> A.proj('x y')"},
        Mistaken{"bad_reference", "-> A.proj(a='b').proj(c='a')"}, Mistaken{"bad_reference", "-> (A)"},
        Mistaken{"bad_index", "x : int32\nindex(x.y)"}, Mistaken{"bad_reference", "-> A.proj(x='(a)')"},
        Mistaken{"bad_reference", "-> A.proj(x='a'"}, Mistaken{"bad_index", "x : int32\nindex()"},
        Mistaken{"bad_index", "x : int32\nindex(year(x))"}),
    [](const auto& one) { return std::string(one.param.word) + "_" + std::to_string(one.index); });

TEST(ParseDefinition, TheFirstLineOfANameWins) {
  const auto d = parse_definition("x : int32\n---\nx=null : varchar(5) # again");
  ASSERT_EQ(d.attributes.size(), 1u);
  EXPECT_EQ(d.attributes[0].type, "int32");
  ASSERT_EQ(d.notes.size(), 1u);
  EXPECT_NE(d.notes[0].find("line 3, column 1"), std::string::npos) << d.notes[0];
}

TEST(ParseDefinition, NotesTypesOfSomeDatabases) {
  const auto d = parse_definition("id : int32\n---\na : int unsigned\nb : longblob\nc : <blob>");
  ASSERT_EQ(d.notes.size(), 2u);
  EXPECT_NE(d.notes[0].find("line 3, column 1 of the definition: int unsigned"), std::string::npos) << d.notes[0];
  EXPECT_NE(d.notes[1].find("<blob>"), std::string::npos) << d.notes[1];
}

TEST(ParseDefinition, TakesWhiteSpaceOfPeopleAroundLines) {
  const auto d = parse_definition("\u00a0id : int32\u00a0\n\u3000---\u2003\n\fx : int8\u202f\r\n");
  ASSERT_EQ(d.attributes.size(), 2u);
  EXPECT_FALSE(d.attributes[1].in_key);
  EXPECT_EQ(d.attributes[1].type, "int8");
}

TEST(ParseDefinition, AQuoteWithoutASecondOneIsACharacter) {
  const auto d = parse_definition("---\na=5\" : varchar(5)\nb=x\"y : varchar(5) # say it's\nc='\"' : varchar(5)");
  EXPECT_EQ(d.attributes[0].fallback.literal, "5\"");
  EXPECT_EQ(d.attributes[1].fallback.literal, "x\"y");
  EXPECT_EQ(d.attributes[1].comment, "say it's");
  EXPECT_EQ(d.attributes[2].fallback.literal, "\"");
}

TEST(ParseDefinition, ColumnsAreCharacters) {
  EXPECT_EQ(refusal("x='ü☃' : varchar(9)\ny='ü☃' : int33").target, "line 2, column 10 of the definition");
  const auto d = parse_definition("# ü\n\n  y : int8 # ☃\n\t-> A\n index(y)\n\n");
  EXPECT_EQ(d.attributes[0].at.line, 3u);
  EXPECT_EQ(d.attributes[0].at.column, 3u);
  EXPECT_EQ(d.references[0].at.line, 4u);
  EXPECT_EQ(d.references[0].at.column, 2u);
  EXPECT_EQ(d.indexes[0].at.line, 5u);
}

TEST(ParseDefinition, HugeTextsAreRefusedWithASmallPicture) {
  const std::string name(100'000, 'a'), open(100'000, '(');
  for (const std::string& text :
       {name + " : int32", "x : " + name, "x : enum" + open, "x=" + open + " : int8", "-> " + name + "." + open,
        "-> A.proj" + open, "index" + open, "x : <" + name, "x=\"" + name, std::string(100'000, '\'') + "x",
        "x" + std::string(100'000, '-') + ">", "x : varchar(" + std::string(100'000, '9') + ")"}) {
    const Refusal r = refusal(text);
    EXPECT_NE(r.word, "accepted") << text.substr(0, 20);
    EXPECT_LT(r.word.size(), 1000u) << text.substr(0, 20);
    EXPECT_NE(r.target.find("line 1, column "), std::string::npos) << r.target;
  }
  std::string nul("x : int32\ny : int8 # ");
  nul += '\0';
  EXPECT_EQ(refusal(nul).target, "line 2, column 12 of the definition");
}

TEST(ParseDefinition, AcceptsTheEndsOfRanges) {
  EXPECT_EQ(refusal("---\na=-128 : int8\nb=127 : int8\nc=-9223372036854775808 : int64\nd=9223372036854775807 : int64\n"
                    "e='2020-02-29' : date\nf=-1e-3 : float64\ng=.5 : decimal(3,2)")
                .word,
            "accepted");
}

TEST(ParseDefinition, SurvivesEveryPrefixOfAText) {
  const std::string_view text =
      "# c\n-> [nullable] A.proj(a='b')\nx='it''s' : enum('a','b') # c\n---\ny=null : <npy@raw>\nunique index(x, y)\n";
  int accepted = 0, refused = 0;
  for (std::size_t n = 0; n <= text.size(); ++n) (refusal(text.substr(0, n)).word == "accepted" ? accepted : refused)++;
  EXPECT_GT(accepted, 0);
  EXPECT_GT(refused, 0);
}

// The compiler reads long definitions too, within its default limits.
constexpr oas::Definition long_definition = R"(
    # a long table, with a comment of some length to be read by the compiler as everything else
    id : int64  # the number of the row, which is its key and nothing else
    ---
)"
#define TEN(p)                                                                                               \
  p "0=5 : int32  # a comment of some length\n" p "1=null : enum('one','two','three')  # a comment\n" p      \
    "2='2020-01-01 01:02:03' : datetime(3)\n" p "3 : <blob@raw>\n" p "4 : decimal(10, 2)\n" p "5 : uuid\n" p \
    "6=\"text\" : varchar(255)\n" p "7 : float64\n" p "8 : bool # a comment of some length\n" p "9 : <npy@>\n"
    TEN("a") TEN("b") TEN("c") TEN("d") TEN("e") TEN("f") TEN("g") TEN("h") TEN("i") TEN("j");

TEST(Definition, MayBeLong) { EXPECT_EQ(parse_definition(long_definition.text()).attributes.size(), 101u); }

}  // namespace
