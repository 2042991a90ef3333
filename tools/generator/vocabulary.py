"""Invented words: nothing here names an existing company, product or place."""

from __future__ import annotations

SOURCES = ["erp_north", "erp_south"]
CURRENCIES = ["EUR", "GBP", "USD"]
#: Currency each ERP keeps its prices and costs in, as a position in CURRENCIES.
HOME_CURRENCY = [0, 1]

COUNTRIES = ["DE", "NL", "FR", "BE", "PL", "GB"]
#: How the customers of the north and of the south ERP spread over COUNTRIES.
COUNTRY_SHARES = [[0.44, 0.18, 0.16, 0.12, 0.10, 0.0], [0.0, 0.08, 0.06, 0.0, 0.0, 0.86]]
LEGAL_FORMS = ["GmbH", "BV", "SAS", "NV", "Sp zoo", "Ltd"]
REGIONS = ["North", "Central", "South"]
CITY_BEGINNINGS = [
    ["Altem", "Birken", "Falken", "Gronau", "Linden", "Silber"],
    ["Oud", "Nieuw", "Veld", "Zand", "Hoog", "Water"],
    ["Mont", "Clair", "Beau", "Roche", "Val", "Bel"],
    ["Groen", "Steen", "Lange", "Wol", "Rode", "Bever"],
    ["Nowy", "Stary", "Bialo", "Czarno", "Zielo", "Wielko"],
    ["Ash", "Thorn", "Elder", "Hazel", "Wether", "Marl"],
]
CITY_ENDINGS = [
    ["bach", "hausen", "feld"],
    ["dam", "wijk", "horst"],
    ["mont", "vigne", "court"],
    ["gem", "beke", "zele"],
    ["brod", "dwor", "gora"],
    ["combe", "wick", "ley"],
]

NAME_BEGINNINGS = "Al Bel Cor Dra El Fen Gar Hol Is Jun Kel Lor Mar Nor Os Pel Quin Ros Sel Tam Ul Ver Wil Zan".split()
NAME_MIDDLES = "a bro den ex fa gri han il ka li mo ne ol pi ra sto ta un vo wa xi ya ze ter".split()
NAME_ENDINGS = "berg by dale don field gate holm kamp land ley mark mer mond port ross son stad ton wick worth".split()
TRADES = [
    "Catering",
    "Hygiene",
    "Packaging",
    "Workwear",
    "Tools",
    "Kitchens",
    "Interiors",
    "Foods",
    "Logistics",
    "Clinics",
    "Hotels",
    "Schools",
    "Printing",
    "Metalworks",
    "Timber",
    "Gardens",
    "Bakeries",
    "Breweries",
    "Laboratories",
    "Facilities",
    "Events",
    "Nurseries",
    "Plastics",
    "Textiles",
    "Motors",
    "Shipping",
    "Dairies",
    "Farms",
    "Optics",
    "Energy",
]
INDUSTRIES = [
    "hospitality",
    "healthcare",
    "manufacturing",
    "public sector",
    "retail",
    "construction",
    "food processing",
]
FIRST_NAMES = (
    "Ada Bram Cleo Dirk Elin Femke Gil Hanna Ivo Jette Kato Lars Mila Nils Oona Piet Runa Sven Tilda Wim".split()
)
LAST_NAMES = (
    "Ambrosch Brinkvoort Calderwick Dunmarrow Eschbeck Farrowdene Grimholt Haverlocke Iversmoor Jansdorp".split()
)

BRANDS = ["Karovane", "Bruntaal", "Ostrelle", "Vindelmo", "Pequora", "Sablonet"]
BRAND_WEIGHTS = [0.30, 0.22, 0.17, 0.13, 0.10, 0.08]
CATEGORIES = {
    "packaging": ["stretch film", "carton", "tape"],
    "hygiene": ["hand towel", "cleaner", "dispenser"],
    "workwear": ["glove", "jacket", "safety shoe"],
    "tools": ["cutter", "trolley", "ladder"],
    "catering": ["tray", "cup", "napkin"],
    "office": ["paper", "folder", "label"],
}
CHANNELS = ["sales_rep", "web", "edi", "phone"]
CARRIERS = ["Trivelo Freight", "Nordhaul", "Parcelunda"]
SERVICE_TERMS = ["standard", "priority", "dedicated"]
RETURN_REASONS = ["damaged", "wrong_item", "not_needed", "quality"]
COST_POOLS = [
    "order_processing",
    "warehouse",
    "customer_service",
    "sales_visits",
    "returns_handling",
    "credit_management",
    "rent",
]
ORGANISATIONS = ["north", "south"]

BRANCHES = [
    [
        ("Altembach", "DE North", "DE"),
        ("Silberfeld", "DE South", "DE"),
        ("Veldhorst", "NL Central", "NL"),
        ("Clairvigne", "FR North", "FR"),
    ],
    [("Thornwick", "GB North", "GB"), ("Eldercombe", "GB Central", "GB"), ("Marlley", "GB South", "GB")],
]
