//! Writes a definition as Rust, formatted as rustfmt would (width 120, `use_small_heuristics = "Max"`).

use crate::definition::{DataType, Object, Operations, Resource};
use crate::range::Range;

/// The longest line.
const WIDTH: usize = 120;

/// The module of an object: constants for its ids, its resources, its definition. `from` is the path
/// of lwm2m-core: `lwm2m_core`, or `crate` in itself.
pub(crate) fn module(object: &Object, from: &str) -> String {
    let Object { id, name, urn, version: (major, minor), .. } = object;
    let names = constants(&object.resources);
    let mut out = String::new();
    let mut line = |text: &str| {
        out.push_str(text);
        out.push('\n');
    };
    let urn = if urn.is_empty() { String::new() } else { format!(" (`{urn}`)") };
    line(&format!("//! {}: object {id}, version {major}.{minor}{urn}.", prose(name)));
    line("//!");
    line("//! Written by `oma-def` from the object's definition.");
    line("");
    line(&imports(&object.resources, from));
    line("");
    line("/// The Object ID.");
    line(&format!("pub const ID: u16 = {};", grouped(i64::from(*id))));
    for (resource, name) in object.resources.iter().zip(&names) {
        line("");
        line(&format!("/// {}: {}.", prose(&resource.name), kind(resource)));
        line(&format!("pub const {name}: u16 = {};", grouped(i64::from(resource.id))));
    }
    line("");
    line("/// What the resources are.");
    let rows: Vec<_> = object.resources.iter().zip(&names).map(|(resource, name)| row(resource, name)).collect();
    let head = format!("pub const RESOURCES: [ResourceDef; {}] = [", object.resources.len());
    match &*rows {
        [] => line(&format!("{head}];")),
        // One row that fits stands beside its brackets.
        [only] if !only.contains('\n') && fits(&format!("{head}{}];", only.trim().trim_end_matches(','))) => {
            line(&format!("{head}{}];", only.trim().trim_end_matches(',')));
        }
        rows => {
            line(&head);
            rows.iter().for_each(|row| line(row));
            line("];");
        }
    }
    line("");
    line("/// What the object is.");
    let mut calls = format!("ObjectDef::new(ID, {name:?}, &RESOURCES)");
    calls.extend((object.version != (1, 0)).then(|| format!(".version({major}, {minor})")));
    calls.extend(object.multiple.then_some(".multiple()"));
    calls.extend(object.mandatory.then_some(".mandatory()"));
    let head = "pub static DEFINITION: ObjectDef =";
    let space = if fits(&format!("{head} {calls};")) { " " } else { "\n    " };
    line(&format!("{head}{space}{calls};"));
    out
}

/// `R, several of Integer`
fn kind(resource: &Resource) -> String {
    let operations = match resource.operations {
        Operations::Bootstrap => "bootstrap only",
        Operations::R => "R",
        Operations::W => "W",
        Operations::RW => "RW",
        Operations::E => return "E".into(),
    };
    let several = if resource.multiple { "several of " } else { "" };
    let data_type = match resource.data_type {
        DataType::UnsignedInteger => "Unsigned Integer".into(),
        DataType::ObjectLink => "Objlnk".into(),
        DataType::CoreLink => "Corelnk".into(),
        other => format!("{other:?}"),
    };
    format!("{operations}, {several}{data_type}")
}

fn imports(resources: &[Resource], from: &str) -> String {
    let ranges = |resource: &Resource| !matches!(resource.range, Range::Any | Range::Text(_));
    let mut items = vec!["DataType", "ObjectDef", "Operations", "Range", "ResourceDef"];
    items.retain(|item| match *item {
        "Range" => resources.iter().any(ranges),
        "DataType" | "Operations" => !resources.is_empty(),
        _ => true,
    });
    format!("use {from}::{{{}}};", items.join(", "))
}

/// One line of the table, or more when it is long.
fn row(resource: &Resource, constant: &str) -> String {
    let Resource { name, operations, data_type, .. } = resource;
    let arguments = [
        constant.to_string(),
        format!("{name:?}"),
        format!("Operations::{operations:?}"),
        format!("DataType::{data_type:?}"),
    ];
    let (range, printed) = match &resource.range {
        Range::Any => (None, None),
        Range::Integer(low, high) => (Some(format!("Integer({}, {})", grouped(*low), grouped(*high))), None),
        Range::Float(low, high) => (Some(format!("Float({low:?}, {high:?})")), None),
        Range::Length(low, high) => (Some(format!("Length({low}, {high})")), None),
        Range::SomeLengths(low, high, text) => (Some(format!("Length({low}, {high})")), Some(text)),
        Range::Text(text) => (None, Some(text)),
    };
    let mut calls = Vec::new();
    calls.extend(resource.multiple.then(|| ".multiple()".into()));
    calls.extend(resource.mandatory.then(|| ".mandatory()".into()));
    calls.extend(range.map(|range| format!(".range(Range::{range})")));
    calls.extend((!resource.unit.is_empty()).then(|| format!(".unit({:?})", resource.unit)));
    let comment = printed.map(|text| format!("    // The range as it is printed: {text}\n")).unwrap_or_default();
    comment + &call(&arguments, &calls)
}

/// All on one line; else each method call on a line of its own; else each argument too.
fn call(arguments: &[String], calls: &[String]) -> String {
    let head = format!("    ResourceDef::new({})", arguments.join(", "));
    let line = format!("{head}{},", calls.concat());
    if fits(&line) {
        return line;
    }
    let below = |indent: &str| calls.iter().map(|call| format!("\n{indent}{call}")).collect::<String>();
    if fits(&head) && !calls.is_empty() {
        return format!("{head}{},", below("        "));
    }
    let arguments: String = arguments.iter().map(|argument| format!("        {argument},\n")).collect();
    format!("    ResourceDef::new(\n{arguments}    ){},", below("    "))
}

fn fits(line: &str) -> bool {
    line.chars().count() <= WIDTH
}

/// Names for the constants: `SMS_NUMBER`, each one only once.
fn constants(resources: &[Resource]) -> Vec<String> {
    let mut taken = vec!["ID".to_string(), "RESOURCES".into(), "DEFINITION".into()];
    for resource in resources {
        let mut name = constant(&resource.name);
        if name.is_empty() || name.starts_with(|first: char| first.is_ascii_digit()) {
            name = format!("RESOURCE_{}", resource.id);
        }
        if taken.contains(&name) {
            name = format!("{name}_{}", resource.id);
        }
        taken.push(name);
    }
    taken.split_off(3)
}

/// `Power Source (V)` and `PowerSource V` become `POWER_SOURCE_V`.
fn constant(name: &str) -> String {
    // It is one word to everybody who knows it.
    let name = name.replace("LwM2M", "LWM2M");
    let mut constant = String::new();
    let mut lowercase = false;
    for letter in name.chars() {
        if !letter.is_ascii_alphanumeric() || (lowercase && letter.is_ascii_uppercase()) {
            constant.push('_');
        }
        lowercase = letter.is_ascii_lowercase();
        constant.extend(Some(letter.to_ascii_uppercase()).filter(char::is_ascii_alphanumeric));
    }
    constant.split('_').filter(|word| !word.is_empty()).collect::<Vec<_>>().join("_")
}

/// Text for a doc comment, with nothing in it that Markdown would take for itself.
fn prose(text: &str) -> String {
    let special = |letter: &char| matches!(letter, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>');
    text.chars().flat_map(|letter| [Some('\\').filter(|_| special(&letter)), Some(letter)]).flatten().collect()
}

/// `86_400`, and `255`.
fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut grouped = String::from(if number < 0 { "-" } else { "" });
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && digits.len() > 4 && (digits.len() - index).is_multiple_of(3) {
            grouped.push('_');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::tests::{SINGLE, item, xml};

    fn written(head: &str, items: &str) -> String {
        module(&Object::parse(&xml(head, items)).unwrap(), "lwm2m_core")
    }

    #[test]
    fn a_module_reads_like_this() {
        let text = item(
            "1",
            "The Label",
            "RW",
            &format!("{SINGLE}<Type>String</Type><RangeEnumeration>16-32-48 bytes</RangeEnumeration>"),
        );
        let litres = item(
            "0",
            "Litres [cold]",
            "R",
            "<MultipleInstances>Multiple</MultipleInstances>\
            <Mandatory>Mandatory</Mandatory><Type>Integer</Type><RangeEnumeration>-5..86400</RangeEnumeration>\
            <Units>l \"net\"</Units>",
        );
        let reset = item("2", "Reset", "E", &format!("{SINGLE}<Type></Type><RangeEnumeration>any</RangeEnumeration>"));
        let head = "<ObjectVersion>1.1</ObjectVersion><MultipleInstances>Multiple</MultipleInstances>\
                    <Mandatory>Mandatory</Mandatory>";
        assert_eq!(
            written(head, &format!("{text}{litres}{reset}")),
            r#"//! Pump: object 30000, version 1.1 (`urn:oma:lwm2m:x:30000`).
//!
//! Written by `oma-def` from the object's definition.

use lwm2m_core::{DataType, ObjectDef, Operations, Range, ResourceDef};

/// The Object ID.
pub const ID: u16 = 30_000;

/// Litres \[cold\]: R, several of Integer.
pub const LITRES_COLD: u16 = 0;

/// The Label: RW, String.
pub const THE_LABEL: u16 = 1;

/// Reset: E.
pub const RESET: u16 = 2;

/// What the resources are.
pub const RESOURCES: [ResourceDef; 3] = [
    ResourceDef::new(LITRES_COLD, "Litres [cold]", Operations::R, DataType::Integer)
        .multiple()
        .mandatory()
        .range(Range::Integer(-5, 86_400))
        .unit("l \"net\""),
    // The range as it is printed: 16-32-48 bytes
    ResourceDef::new(THE_LABEL, "The Label", Operations::RW, DataType::String).range(Range::Length(16, 48)),
    // The range as it is printed: any
    ResourceDef::new(RESET, "Reset", Operations::E, DataType::None),
];

/// What the object is.
pub static DEFINITION: ObjectDef = ObjectDef::new(ID, "Pump", &RESOURCES).version(1, 1).multiple().mandatory();
"#
        );
    }

    #[test]
    fn an_object_of_one_resource_and_of_none() {
        let one = item("0", "x", "W", &format!("{SINGLE}<Type>Float</Type><RangeEnumeration>0..1</RangeEnumeration>"));
        let module = written(SINGLE, &one);
        let row = "ResourceDef::new(X, \"x\", Operations::W, DataType::Float).range(Range::Float(0.0, 1.0))";
        assert!(module.contains(&format!("[ResourceDef; 1] = [\n    {row},\n];\n")), "{module}");
        let short = item("0", "x", "W", &format!("{SINGLE}<Type>Float</Type>"));
        let module = written(SINGLE, &short);
        let row = "ResourceDef::new(X, \"x\", Operations::W, DataType::Float)";
        assert!(module.contains(&format!("[ResourceDef; 1] = [{row}];\n")), "{module}");
        let module = written(SINGLE, "");
        assert!(module.contains("use lwm2m_core::{ObjectDef, ResourceDef};\n"), "{module}");
        assert!(module.contains("pub const RESOURCES: [ResourceDef; 0] = [];\n"), "{module}");
        assert!(module.ends_with("ObjectDef = ObjectDef::new(ID, \"Pump\", &RESOURCES);\n"), "{module}");
    }

    #[test]
    fn what_is_long_is_broken_as_rustfmt_breaks_it() {
        let name = "A Name That Is Longer Than Anybody Would Read Aloud";
        let one = item("0", name, "RW", &format!("{SINGLE}<Type>Unsigned Integer</Type><Units>s</Units>"));
        let module = written(SINGLE, &one);
        let row = format!(
            "    ResourceDef::new(
        A_NAME_THAT_IS_LONGER_THAN_ANYBODY_WOULD_READ_ALOUD,
        {name:?},
        Operations::RW,
        DataType::UnsignedInteger,
    )
    .unit(\"s\"),
"
        );
        assert!(module.contains(&row), "{module}");
    }

    #[test]
    fn every_constant_has_a_name_of_its_own() {
        let named = |names: &[&str]| {
            let items: String = (0..)
                .zip(names)
                .map(|(id, name)| item(&format!("{id}"), name, "R", &format!("{SINGLE}<Type>Time</Type>")))
                .collect();
            constants(&Object::parse(&xml(SINGLE, &items)).unwrap().resources)
        };
        assert_eq!(
            named(&["SMS Binding Secret Key(s)", "PkgName", "LwM2M Server SMS Number", "ExtDevInfo", "APN"]),
            ["SMS_BINDING_SECRET_KEY_S", "PKG_NAME", "LWM2M_SERVER_SMS_NUMBER", "EXT_DEV_INFO", "APN"]
        );
        assert_eq!(
            named(&["State", "state", "ID", "3GPP", "\u{b0}", "Definition"]),
            ["STATE", "STATE_1", "ID_2", "RESOURCE_3", "RESOURCE_4", "DEFINITION_5"]
        );
    }

    #[test]
    fn numbers_are_grouped_from_five_digits_on() {
        for (number, text) in [(0, "0"), (9_999, "9999"), (10_000, "10_000"), (-1_234_567, "-1_234_567")] {
            assert_eq!(grouped(number), text);
        }
    }
}
