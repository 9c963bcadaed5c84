use super::*;
use std::string::{String, ToString};

type Outcome = core::result::Result<String, Code>;

const BASE: &str = "http://cdn.example/vod/film.ism/Manifest?token=a/b";
const SHAPE: &str = "QualityLevels({bitrate})/Fragments(video={start time})";

fn fragment_at(base: &str, template: &str, custom: &[(&str, &str)], limits: &Limits) -> Outcome {
    let mut account = Account::new(1 << 16);
    let mut out = Text::from(&mut account, "left over").unwrap();
    let custom = custom.iter().copied();
    let start = 17_472_959_488_675_333;
    let outcome = fragment(&mut account, &mut out, base, template, "2962000", custom, start, limits);
    let text = out.to_string();
    out.free(&mut account);
    assert_eq!(account.held(), 0);
    match outcome {
        Ok(()) => {
            assert!(split(&text).is_some(), "{text}");
            assert!(text.bytes().all(|b| b.is_ascii_graphic()), "{text}");
            Ok(text)
        }
        Err(error) => {
            assert_eq!(text, "");
            assert!(!error.place.at.is_empty());
            Err(error.code)
        }
    }
}

fn made(template: &str) -> Outcome {
    fragment_at(BASE, template, &[], &Limits::default())
}

fn below(path: &str) -> Outcome {
    Ok(std::format!("http://cdn.example/vod/film.ism/{path}"))
}

fn resolved(base: &str, reference: &str) -> Outcome {
    let mut account = Account::new(1 << 16);
    let mut out = Text::new();
    let outcome = resolve(&mut account, &mut out, base, reference, &Limits::default());
    outcome.map(|()| out.to_string()).map_err(|e| e.code)
}

#[test]
fn tokens_in_every_spelling_and_place() {
    let full = below("QualityLevels(2962000)/Fragments(video=17472959488675333)");
    assert_eq!(made(SHAPE), full);
    assert_eq!(made("QualityLevels({Bitrate})/Fragments(video={start_time})"), full);
    assert_eq!(made("{bitrate}{Bitrate}/{bitrate}"), below("29620002962000/2962000"));
    assert_eq!(made("x?t={start_time}&u={start time}"), below("x?t=17472959488675333&u=17472959488675333"));
    assert_eq!(
        made("{BITRATE}/{start  time}/{}/{{bitrate}}/{"),
        below("{BITRATE}/{start%20%20time}/{}/{2962000}/{")
    );
    assert_eq!(made("fixed"), below("fixed"));
}

#[test]
fn custom_attributes_are_joined_by_commas() {
    let shape = "QualityLevels({bitrate},{CustomAttributes})/Fragments(v={start time})";
    let with = |custom: &[(&str, &str)]| fragment_at(BASE, shape, custom, &Limits::default());
    let tail = "/Fragments(v=17472959488675333)";
    assert_eq!(with(&[]), below(&std::format!("QualityLevels(2962000){tail}")));
    assert_eq!(
        with(&[("Profile", "Handheld")]),
        below(&std::format!("QualityLevels(2962000,Profile=Handheld){tail}"))
    );
    assert_eq!(
        with(&[("a", "1.0"), ("b-c", "~_"), ("d", "")]),
        below(&std::format!("QualityLevels(2962000,a=1.0,b-c=~_,d=){tail}"))
    );
    assert_eq!(made("a{CustomAttributes}b,,{CustomAttributes},"), below("ab,,"));
    for bad in [
        ("a", "b/c"),
        ("a", "b c"),
        ("a", "b,c"),
        ("a", "%41"),
        ("a", "é"),
        ("a=", "b"),
        ("", "b"),
        ("a", "\r\n"),
    ] {
        assert_eq!(with(&[("x", "y"), bad]), Err(Code::UrlInvalid), "{bad:?}");
        // Not asked for, not in the way.
        assert!(fragment_at(BASE, SHAPE, &[bad], &Limits::default()).is_ok());
    }
}

#[test]
fn a_bitrate_is_digits() {
    let mut account = Account::new(1 << 16);
    let mut out = Text::new();
    for (bitrate, good) in
        [("0", true), ("007", true), ("", false), ("1k", false), ("../1", false), ("１", false)]
    {
        let none = core::iter::empty();
        let made = fragment(&mut account, &mut out, BASE, SHAPE, bitrate, none, 0, &Limits::default());
        assert_eq!(
            made.map_err(|e| (e.code, e.place.at)),
            match good {
                true => Ok(()),
                false => Err((Code::UrlInvalid, "QualityLevel@Bitrate")),
            }
        );
    }
}

#[test]
fn names_keep_their_punctuation_and_lose_their_spaces() {
    assert_eq!(
        made("QualityLevels({bitrate})/Fragments(SD NTSC (720x480) 29,97fps={start time})"),
        below("QualityLevels(2962000)/Fragments(SD%20NTSC%20(720x480)%2029,97fps=17472959488675333)")
    );
    let base = "http://h/SD NTSC (720x480) 29,97fps.ism/Manifest";
    assert_eq!(
        fragment_at(base, "f", &[], &Limits::default()),
        Ok("http://h/SD%20NTSC%20(720x480)%2029,97fps.ism/f".into())
    );
    assert_eq!(made("Fragments(français=€)"), below("Fragments(fran%C3%A7ais=%E2%82%AC)"));
    assert_eq!(made("a%20b%zz!$&'()*+,;=:@-._~\"<>^`{|}[]"), below("a%20b%zz!$&'()*+,;=:@-._~\"<>^`{|}[]"));
    assert_eq!(made("a?b c#d e"), below("a?b%20c"));
    for bad in ["a\r\nHost: x", "a\nb", "a\tb", "a\0", "a\u{7f}", "a\\b", "\\\\host\\x", "a?\u{1}"] {
        assert_eq!(made(bad), Err(Code::UrlInvalid), "{bad:?}");
    }
}

#[test]
fn references_of_every_kind() {
    assert_eq!(made("/films/{bitrate}"), Ok("http://cdn.example/films/2962000".into()));
    assert_eq!(made("//other.example:81/{bitrate}"), Ok("http://other.example:81/2962000".into()));
    assert_eq!(made("http://other.example/x/{bitrate}?y"), Ok("http://other.example/x/2962000?y".into()));
    assert_eq!(made("HTTPS://other.example"), Ok("https://other.example/".into()));
    assert_eq!(made("http://h?q"), Ok("http://h/?q".into()));
    assert_eq!(made("http://h#q"), Ok("http://h/".into()));
    assert_eq!(made("?q={bitrate}"), below("Manifest?q=2962000"));
    // The manifest's own query never reaches a fragment.
    assert_eq!(made("x"), below("x"));
    // Without a slash before, a colon would have ended a scheme; with one it is a colon.
    assert_eq!(made("Fragments(a:b)"), below("Fragments(a:b)"));
    assert_eq!(made("1a:b"), below("1a:b"));
    let top = |base| fragment_at(base, "f", &[], &Limits::default());
    assert_eq!(top("http://h"), Ok("http://h/f".into()));
    assert_eq!(top("http://h?x/y"), Ok("http://h/f".into()));
    assert_eq!(top("http://h/Manifest#a/b"), Ok("http://h/f".into()));
    assert_eq!(top("http://[::1]:8080/a/Manifest"), Ok("http://[::1]:8080/a/f".into()));
    // An empty list of attributes can leave an absolute path.
    assert_eq!(made("{CustomAttributes}/x"), Ok("http://cdn.example/x".into()));
}

#[test]
fn other_schemes_and_downgrades_are_refused() {
    for bad in [
        "file:///etc/passwd",
        "data:text/plain,x",
        "ftp://h/x",
        "javascript:x",
        "rtsp://h",
        "httpx://h/",
        "htt:x",
    ] {
        assert_eq!(made(bad), Err(Code::UrlRefused), "{bad}");
    }
    for bad in [
        "http:x",
        "http:/x",
        "https:",
        "http://",
        "http:///x",
        "//",
        "http://h:0/",
        "http://h:65536/",
        "http://h:x/",
    ] {
        assert_eq!(made(bad), Err(Code::UrlInvalid), "{bad}");
    }
    for bad in ["http://[::1/", "http://[]/", "http://[::1]x/", "http://h st/", "http://hé/", "http://h%41/"]
    {
        assert_eq!(made(bad), Err(Code::UrlInvalid), "{bad}");
    }
    for bad in ["http://user@h/", "//user:secret@h/"] {
        assert_eq!(made(bad), Err(Code::UrlRefused), "{bad}");
    }
    let secure = "https://h/a/Manifest";
    assert_eq!(resolved(secure, "http://h/b"), Err(Code::UrlRefused));
    assert_eq!(resolved(secure, "HTTP://h/b"), Err(Code::UrlRefused));
    assert_eq!(resolved(secure, "//h2/b"), Ok("https://h2/b".into()));
    assert_eq!(resolved("HTTP://h/a", "https://h/b"), Ok("https://h/b".into()));
    for base in ["", "h/a", "ftp://h/a", "http://", "http://u@h/a"] {
        assert!(resolved(base, "b").is_err(), "{base}");
    }
}

#[test]
fn no_climbing_above_the_manifest() {
    assert_eq!(made("a/../b"), below("b"));
    assert_eq!(made("./a/./b/."), below("a/b/"));
    assert_eq!(made("a/b/../../c/.."), below(""));
    assert_eq!(made("..a/...//b"), below("..a/...//b"));
    for bad in
        ["..", "../", "../film.ism/x", "a/../../x", "%2e%2E/x", ".%2e/x", "a/%2e./../x", "..?x", "..#x"]
    {
        assert_eq!(made(bad), Err(Code::UrlRefused), "{bad}");
    }
    for bad in ["/../x", "/a/../../x", "http://h/..", "//h/a/../../b"] {
        assert_eq!(made(bad), Err(Code::UrlRefused), "{bad}");
    }
    assert_eq!(made("/a/../x"), Ok("http://cdn.example/x".into()));
    let empty_segment = fragment_at("http://h/a//Manifest", "../x", &[], &Limits::default());
    assert_eq!(empty_segment, Err(Code::UrlRefused));
    // Dots in the query are no path.
    assert_eq!(made("x?/../.."), below("x?/../.."));
    // Dots of the base are its own business.
    let dotted = fragment_at("http://h/a/../../b/./Manifest", "f", &[], &Limits::default());
    assert_eq!(dotted, Ok("http://h/b/f".into()));
}

#[test]
fn redirects_follow_the_standard() {
    let base = "http://h/one/two/list;v=1?key";
    for (reference, expected) in [
        ("next", "/one/two/next"),
        ("./next", "/one/two/next"),
        ("next/", "/one/two/next/"),
        ("/next", "/next"),
        ("?other", "/one/two/list;v=1?other"),
        ("next?x", "/one/two/next?x"),
        ("#part", "/one/two/list;v=1?key"),
        ("next?x#part", "/one/two/next?x"),
        (";w", "/one/two/;w"),
        ("", "/one/two/list;v=1?key"),
        (".", "/one/two/"),
        ("..", "/one/"),
        ("../next", "/one/next"),
        ("../..", "/"),
        ("../../../next", "/next"),
        ("../../../../next", "/next"),
        ("/./next", "/next"),
        ("/../next", "/next"),
        ("next.", "/one/two/next."),
        ("..next", "/one/two/..next"),
        ("./next/.", "/one/two/next/"),
        ("next/../last", "/one/two/last"),
        ("next;x=1/../last", "/one/two/last"),
        ("next?x/../last", "/one/two/next?x/../last"),
    ] {
        assert_eq!(resolved(base, reference), Ok(std::format!("http://h{expected}")), "{reference}");
    }
    assert_eq!(resolved(base, "//g"), Ok("http://g/".into()));
    assert_eq!(resolved(base, "{bitrate}"), Ok("http://h/one/two/{bitrate}".into()));
}

#[test]
fn length_is_bounded_before_and_after() {
    let limits = Limits { url_bytes: 40, ..Limits::default() };
    let made = |template: &str| fragment_at("http://h/a/Manifest", template, &[], &limits);
    let exact = "x".repeat(40 - "http://h/a/".len());
    assert_eq!(made(&exact).map(|url| url.len()), Ok(40));
    assert_eq!(made(&std::format!("{exact}x")), Err(Code::LimitUrl));
    assert_eq!(made(&" ".repeat(10)), Err(Code::LimitUrl));
    // A reference that would shrink to nothing is too long all the same, and so is what is never sent.
    assert_eq!(made(&"a/../".repeat(9)), Err(Code::LimitUrl));
    assert_eq!(made(&std::format!("#{}", "{bitrate}".repeat(9))), Err(Code::LimitUrl));
    assert_eq!(made(&"{bitrate}".repeat(10_000)), Err(Code::LimitUrl));
    assert_eq!(made(&"a".repeat(100)), Err(Code::LimitUrl));
}

#[test]
fn a_reused_text_costs_no_memory() {
    let mut account = Account::new(1 << 16);
    let mut out = Text::new();
    let mut held = 0;
    for i in 0..100u64 {
        let none = core::iter::empty();
        let (limits, start) = (Limits::default(), 10_000_000 + i);
        fragment(&mut account, &mut out, BASE, SHAPE, "64000", none, start, &limits).unwrap();
        assert!(i == 0 || account.held() == held);
        held = account.held();
    }
    let mut small = Account::new(8);
    let refused = resolve(&mut small, &mut Text::new(), BASE, "x", &Limits::default());
    assert_eq!(refused.map_err(|e| e.code), Err(Code::Budget));
}

#[test]
fn a_url_in_its_parts() {
    let parts = |url| {
        split(url).map(|p: UrlParts<'_>| {
            (p.scheme, p.authority.to_string(), p.host.to_string(), p.port, p.path_and_query.to_string())
        })
    };
    let expect = |scheme, authority: &str, host: &str, port, target: &str| {
        Some((scheme, authority.to_string(), host.to_string(), port, target.to_string()))
    };
    assert_eq!(parts("http://h/a?b#c"), expect(Scheme::Http, "h", "h", 80, "/a?b"));
    assert_eq!(parts("HTTPS://H.example"), expect(Scheme::Https, "H.example", "H.example", 443, "/"));
    assert_eq!(parts("http://10.0.0.1:8080/"), expect(Scheme::Http, "10.0.0.1:8080", "10.0.0.1", 8080, "/"));
    assert_eq!(parts("http://[::1]/x"), expect(Scheme::Http, "[::1]", "::1", 80, "/x"));
    assert_eq!(
        parts("https://[fe80::1.2.3.4]:44/x"),
        expect(Scheme::Https, "[fe80::1.2.3.4]:44", "fe80::1.2.3.4", 44, "/x")
    );
    assert_eq!(parts("http://h:/x"), expect(Scheme::Http, "h:", "h", 80, "/x"));
    for bad in [
        "",
        "h",
        "http:/h",
        "http://",
        "http://:80/",
        "ftp://h/",
        "http://a@h/",
        "http://h?x",
        "http://[h]/",
        "http://h:80:81/",
        "http://h:-1/",
        "http://h:+1/",
    ] {
        assert_eq!(parts(bad), None, "{bad}");
    }
}
