"""What each kind of coverage covers, and when a conditional step is asked, in the database.

The Python twins are `approvals/coverage.py` and `approvals/figures.py`.
"""

from django.db import migrations

#: Classes of characters, as they stand in a regular expression: never those of a collation.
WHITE = r" \t\n\r\f\v\u00a0"
SPACES = WHITE + r"\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
UNSEEN = (
    r"\u0001-\u0008\u000e-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    r"\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff"
)
DIGITS = (
    r"0-9\u00b2\u00b3\u00b9\u00bc-\u00be\u0660-\u0669\u06f0-\u06f9\u07c0-\u07c9\u0966-\u096f\u09e6-\u09ef"
    r"\u0a66-\u0a6f\u0ae6-\u0aef\u0b66-\u0b6f\u0be6-\u0bef\u0c66-\u0c6f\u0ce6-\u0cef\u0d66-\u0d6f"
    r"\u0de6-\u0def\u0e50-\u0e59\u0ed0-\u0ed9\u0f20-\u0f33\u1040-\u1049\u1090-\u1099\u17e0-\u17e9"
    r"\u1810-\u1819\u1946-\u194f\u19d0-\u19da\u1a80-\u1a89\u1a90-\u1a99\u1b50-\u1b59\u1bb0-\u1bb9"
    r"\u1c40-\u1c49\u1c50-\u1c59\u2070\u2074-\u2079\u2080-\u2089\u2150-\u218b\u2460-\u249b\u24ea-\u24ff"
    r"\u2776-\u2793\u3007\u3021-\u3029\u3220-\u3229\u3248-\u325f\u3280-\u3289\u32b1-\u32bf\ua620-\ua629"
    r"\ua8d0-\ua8d9\ua900-\ua909\ua9d0-\ua9d9\ua9f0-\ua9f9\uaa50-\uaa59\uabf0-\uabf9\uff10-\uff19"
    r"\U0001d7ce-\U0001d7ff\U0001f100-\U0001f10c\U0001fbf0-\U0001fbf9"
)
SIGNS = r"%\u2030\u2031\u066a\uff05\ufe6a"
BREAK = r"<br ?/?>"
MARK = r"</?(?:strong|em|a(?: [^<>]*)?)>"

# Canonical HTML: marks closed inside their block, links outside, then strong, then em.
TEXT = rf"[^<>\u0001\u0002]|{BREAK}"
EM = rf"<em>(?:{TEXT})*</em>"
STRONG = rf"<strong>(?:{TEXT}|{EM})*</strong>"
LINK = rf'<a href="[^"<>\u0001\u0002{SPACES}]*">(?:{TEXT}|{EM}|{STRONG})*</a>'
BLOCK = r"</?(?:p|h2|h3|ul|ol|li)>"
CANONICAL = rf"^(?:{TEXT}|{BLOCK}|{EM}|{STRONG}|{LINK})*$"

AFTER_STOP = r'(?:["”’\u0027»)\]]|</(?:a|strong|em)>)*'
STOP = rf"[.!?…]{AFTER_STOP}(?=[{WHITE}]|{BREAK})"
LEAD = rf"^(?:[{WHITE}]|{BREAK})+"
#: How a piece begins that is no sentence of its own: "No. 5", "approx. £5".
GOES_ON = (
    rf"^(?:[{WHITE}{UNSEEN}]|{BREAK}|{MARK}|[\"“”\u0027‘’«(\[])*"
    rf"[-a-z{DIGITS}{SIGNS}+−–—±~≈=#&…$\u00a2-\u00a5\u20a0-\u20cf]"
)
#: How a piece ends after which the sentence goes on: "approx.", "Dr.", "U.K."
SHORT = (
    "[a-z]|nos?|approx|est|ca|vs|cf|eg|ie|etc|al|mrs?|ms|mx|dr|prof|revd?|hon|st|inc|ltd|co|corp|gov|sen|rep|gen"
    "|col|lt|sgt|maj|capt|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec|figs?|paras?|pp|vol|art|sec|dept|min|max|avg"
)
GOES_ON_AFTER = rf"(?:^|[^a-z])(?:{SHORT})(?:{MARK}|[{UNSEEN}])*[.!?…]{AFTER_STOP}$"

UNITS = "two|three|four|five|six|seven|eight|nine|ten"
WORDS = (
    rf"zero(?:e?s)?|nil|nought|naught|(?:{UNITS})(?:s|fold)?|eleven|twelve"
    r"|(?:thir|four|fif|six|seven|eigh|nine)teen|(?:twen|thir|for|fif|six|seven|eigh|nine)t(?:y|ies)"
    r"|(?:hundred|thousand|million|billion|trillion)(?:s|ths?|fold)?|dozens?|hal(?:f|ve|ves|ved|ving)"
    r"|(?:third|quarter|fifth|sixth|seventh|eighth|ninth|tenth|twentieth)s?"
    r"|(?:doubl|tripl|trebl|quadrupl)(?:e|es|ed|ing)|twice|thrice"
    rf"|per[-{WHITE}]*cent(?:s|ages?)?"
)
#: Entities that are signs and no figure. Every other counts as one: who writes a 5 as `&#53;` hides it.
HARMLESS = (
    "&(?:amp|lt|gt|quot|apos|nbsp|[lr][sd]quo|[mn]dash|hellip|pound|euro"
    "|#(?:34|38|39|60|62|160|8211|8212|8216|8217|8220|8221|8230|x27|x22));"
)
FIGURE = rf"[{DIGITS}{SIGNS}]|&(?:#|[a-z0-9]+;)|(?:^|[^a-z])(?:{WORDS})(?:[^a-z]|$)"

#: Capitals that are no A to Z without their accents, and signs that are written in several ways.
FOLD = (
    "ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣςΤΥΦΧΨΩАБВГДЕЖЗИКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯЂЄЅІЈЉЊЋЏҐØÆŒĐÐŁÞĦŊŦẞ’ʼ‘‐",
    "αβγδεζηθικλμνξοπρσστυφχψωабвгдежзиклмнопрстуфхцчшщъыьэюяђєѕіјљњћџґøæœđðłþħŋŧß'''-",
)
#: Where versions of Unicode differ in how a letter comes apart. Nobody's name is in these.
UNSTABLE = r"\U00010000-\U0010ffff\ua640-\uabff"

FUNCTIONS = rf"""
-- How names are compared: letters of either case, how letters with accents are encoded, white space and what nobody
-- sees do not count.
CREATE FUNCTION same_name(name text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT btrim(regexp_replace(regexp_replace(lower(translate(
        CASE WHEN seen ~ '[{UNSTABLE}]' THEN seen ELSE normalize(seen, NFKD) END,
        '{FOLD[0]}', '{FOLD[1].replace("'", "''")}') COLLATE "C"), '[{UNSEEN}]+', '', 'g'), '[{SPACES}]+', ' ', 'g'), ' ')
    FROM regexp_replace(name, '[{UNSEEN}]+', '', 'g') AS seen
$$;

-- The text under a key, empty where there is none, and the items of a list.
CREATE FUNCTION text_in(holder jsonb, key text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN jsonb_typeof(holder -> key) = 'string' THEN holder ->> key ELSE '' END
$$;
CREATE FUNCTION list_in(holder jsonb, key text) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN jsonb_typeof(holder -> key) = 'array' THEN holder -> key ELSE '[]' END
$$;

-- The sentences of canonical HTML with the tags inside them; of any other, the whole as one.
CREATE FUNCTION sentences(html text) RETURNS SETOF text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT html WHERE html !~ '{CANONICAL}'
    UNION ALL
    SELECT sentence FROM (
        SELECT regexp_replace(unnest(string_to_array(string_agg(
            CASE WHEN goes_on THEN piece ELSE chr(1) || piece END, '' ORDER BY run, place), chr(1))), '{LEAD}', '')
        FROM (
            SELECT run, place, piece, place > 1 AND (sum(opened) OVER pieces > opened
                OR lag(shortened) OVER pieces OR piece ~ '{GOES_ON}') AS goes_on
            FROM (
                SELECT run, place, piece, CASE WHEN piece LIKE '%<%'
                        THEN regexp_count(piece, '<[sea]') - regexp_count(piece, '</[sea]') ELSE 0 END AS opened,
                    lower(piece COLLATE "C") ~ '{GOES_ON_AFTER}' AS shortened
                FROM unnest(string_to_array(regexp_replace(regexp_replace(html, '{STOP}', '\&' || chr(2), 'g'),
                        '{BLOCK}', chr(1), 'g'), chr(1))) WITH ORDINALITY AS runs (content, run)
                CROSS JOIN LATERAL unnest(string_to_array(content, chr(2))) WITH ORDINALITY AS cut (piece, place)
                WHERE html ~ '{CANONICAL}'
            ) measured
            WINDOW pieces AS (PARTITION BY run ORDER BY place)
        ) flagged
    ) found (sentence)
    WHERE sentence <> ''
$$;

-- Whether somebody who reads it sees a number. Tags and what cannot be seen do not part a word.
CREATE FUNCTION has_figure(html text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT lower(CASE WHEN html ~ '[<&{UNSEEN}]' THEN
        regexp_replace(regexp_replace(regexp_replace(html, '{HARMLESS}', ' ', 'g'), '{BREAK}', ' ', 'g'),
            '</?[A-Za-z][^<>]*>|[{UNSEEN}]', '', 'g')
        ELSE html END COLLATE "C") ~ '{FIGURE}' OR html ~ '<ol [^<>]*[0-9]'
$$;

CREATE FUNCTION figure_sentences(html text) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT jsonb_agg(sentence ORDER BY place)
    FROM sentences(html) WITH ORDINALITY AS found (sentence, place) WHERE has_figure(sentence)
$$;

CREATE FUNCTION html_of(plain text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT replace(replace(replace(plain, '&', '&amp;'), '<', '&lt;'), '>', '&gt;')
$$;

-- The sentences with a figure: where they stand, and in a quote whose words they are.
CREATE FUNCTION content_figures(content jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT jsonb_agg(jsonb_build_object('in', name, 'sentences', found) || said ORDER BY part, place)
    FROM (
        SELECT 1 AS part, place, name, html_of(text_in(content, name)) AS html, '{{}}'::jsonb AS said
            FROM unnest(ARRAY['headline', 'summary']) WITH ORDINALITY AS plain (name, place)
        UNION ALL
        SELECT 2, place, text_in(block, 'kind'), text_in(block, 'html'),
            CASE WHEN text_in(block, 'kind') = 'quote' THEN jsonb_build_object(
                'speaker', text_in(block, 'speaker'), 'role', text_in(block, 'role')) ELSE '{{}}' END
            FROM jsonb_array_elements(list_in(content, 'body')) WITH ORDINALITY AS blocks (block, place)
        UNION ALL
        SELECT 3, 1, 'notes', text_in(content, 'notes'), '{{}}'
        UNION ALL
        SELECT 4, place, name, html_of(text_in(content -> 'picture', name)), '{{}}'
            FROM unnest(ARRAY['caption', 'alt']) WITH ORDINALITY AS plain (name, place)
    ) texts
    CROSS JOIN LATERAL figure_sentences(html) AS found
    WHERE found IS NOT NULL
$$;

-- The quotes, in order: all, or those whose speaker or role is of one name.
CREATE FUNCTION quotes_of(content jsonb, part text, name text) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT jsonb_agg(block ORDER BY place)
    FROM jsonb_array_elements(list_in(content, 'body')) WITH ORDINALITY AS blocks (block, place)
    WHERE text_in(block, 'kind') = 'quote'
      AND (part = 'quotes' OR (same_name(name) <> '' AND same_name(text_in(block, part)) = same_name(name)))
$$;

CREATE FUNCTION everything_of(content jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN coalesce(jsonb_typeof(content -> 'body'), 'array') = 'array'
        THEN coalesce(content_parts(content), '{{"quotes": []}}')
        ELSE coalesce(content_parts(content - 'body'), '{{"quotes": []}}')
            || jsonb_build_object('body', digest_of(content -> 'body')) END
$$;

-- What a step covers; NULL where there is nothing to cover, and nobody has to clear it.
CREATE FUNCTION covered_content(content jsonb, covers text, whom text) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    IF jsonb_typeof(content) IS DISTINCT FROM 'object' THEN
        RETURN NULL;
    END IF;
    RETURN CASE
        WHEN covers = 'everything' THEN everything_of(content)
        WHEN covers IN ('quotes', 'speaker', 'role') THEN quotes_of(content, covers, whom)
        WHEN covers = 'figures' THEN content_figures(content)
        WHEN covers = 'pictures' THEN CASE WHEN content -> 'picture' <> 'null'
            THEN jsonb_build_array(content -> 'picture') END
        WHEN covers IN ('attachments', 'notes') AND content -> covers NOT IN ('null', '[]', '""') THEN content -> covers
    END;
END
$$;

CREATE FUNCTION covered_digest(content jsonb, covers text, whom text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT digest_of(covered_content(content, covers, whom))
$$;

-- Whether a conditional step is asked. What depends on more than the content is false here.
CREATE FUNCTION applies(content jsonb, condition text, value text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    RETURN coalesce(CASE
        WHEN condition = 'always' THEN true
        WHEN condition = 'quote' THEN covered_content(content, 'quotes', '') IS NOT NULL
        WHEN condition IN ('speaker', 'role') THEN covered_content(content, condition, value) IS NOT NULL
        WHEN condition IN ('figure', 'picture', 'attachment')
            THEN covered_content(content, condition || 's', '') IS NOT NULL
        WHEN value = '' THEN false
        WHEN condition = 'type' THEN text_in(content, 'type') = value
        WHEN condition IN ('partner', 'topic') THEN EXISTS (
            SELECT 1 FROM jsonb_array_elements(list_in(content, condition || 's')) AS items (item)
            WHERE text_in(item, 'slug') = value)
    END, false);
END
$$;
"""

DROP = """
DROP FUNCTION applies; DROP FUNCTION covered_digest; DROP FUNCTION covered_content(jsonb, text, text);
DROP FUNCTION everything_of; DROP FUNCTION quotes_of; DROP FUNCTION content_figures; DROP FUNCTION html_of;
DROP FUNCTION figure_sentences; DROP FUNCTION has_figure; DROP FUNCTION sentences; DROP FUNCTION list_in;
DROP FUNCTION text_in; DROP FUNCTION same_name;
"""


class Migration(migrations.Migration):
    dependencies = [("approvals", "0003_routes")]
    operations = [migrations.RunSQL(FUNCTIONS, DROP)]
