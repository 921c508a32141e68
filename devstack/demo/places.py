"""Cities of the demo: real streets and districts, with invented clinics.

In `postcode` and `phone`, a # stands for a digit and an @ for a letter. Phone numbers come from
ranges reserved for fiction, in countries that have one.
"""

from typing import NamedTuple


class Country(NamedTuple):
    """Money in whole units: a fee in euros times `factor`, rounded to `step`."""

    currency: str
    factor: float
    step: int
    languages: tuple[str, ...]
    origins: tuple[str, ...]
    clinic_names: tuple[str, ...]
    number_first: bool = False


class City(NamedTuple):
    name: str
    country: str
    time_zone: str
    weight: int
    postcode: str
    phone: str
    streets: tuple[str, ...]
    districts: tuple[str, ...]


_DUTCH_CLINICS = ("Praktijk {}", "Kliniek {}", "Medisch Centrum {}", "Gezondheidscentrum {}")
_ENGLISH_CLINICS = ("{} Health Centre", "{} Medical Practice", "{} Clinic", "{} Surgery")

COUNTRIES: dict[str, Country] = {
    "NL": Country(
        "EUR", 1, 1, ("nl", "en"), ("dutch", "dutch", "dutch", "turkish", "arabic"), _DUTCH_CLINICS
    ),
    "BE": Country(
        "EUR", 0.9, 1, ("nl", "fr", "en"), ("dutch", "dutch", "french", "arabic"), _DUTCH_CLINICS
    ),
    "DE": Country(
        "EUR",
        1.1,
        1,
        ("de", "en"),
        ("german", "german", "german", "turkish", "polish"),
        ("Praxis {}", "Gesundheitszentrum {}", "Klinik {}", "Ärztehaus {}"),
    ),
    "GB": Country(
        "GBP",
        0.95,
        1,
        ("en",),
        ("british", "british", "indian", "nigerian"),
        _ENGLISH_CLINICS,
        True,
    ),
    "IE": Country(
        "EUR", 1, 1, ("en",), ("irish", "irish", "british", "nigerian"), _ENGLISH_CLINICS, True
    ),
    "PT": Country(
        "EUR",
        0.7,
        1,
        ("pt", "en"),
        ("portuguese", "portuguese", "portuguese", "spanish"),
        ("Clínica {}", "Centro Médico {}", "Policlínica {}"),
    ),
    "ES": Country(
        "EUR",
        0.75,
        1,
        ("es", "en"),
        ("spanish", "spanish", "spanish", "arabic"),
        ("Clínica {}", "Centro Médico {}", "Consultorio {}"),
    ),
    "FR": Country(
        "EUR",
        0.9,
        1,
        ("fr", "en"),
        ("french", "french", "arabic", "portuguese"),
        ("Cabinet {}", "Centre médical {}", "Maison de santé {}"),
        True,
    ),
    "US": Country(
        "USD",
        2.5,
        5,
        ("en", "es"),
        ("british", "spanish", "indian", "chinese", "irish", "polish"),
        ("{} Medical Group", "{} Health Center", "{} Clinic", "{} Family Care"),
        True,
    ),
    "IN": Country(
        "INR",
        14,
        50,
        ("en", "hi"),
        ("indian",),
        ("{} Clinic", "{} Polyclinic", "{} Care Centre"),
        True,
    ),
    "KE": Country(
        "KES",
        45,
        100,
        ("en", "sw"),
        ("kenyan", "kenyan", "kenyan", "indian"),
        ("{} Medical Centre", "{} Clinic", "{} Doctors' Plaza"),
    ),
    "AU": Country(
        "AUD",
        1.8,
        5,
        ("en",),
        ("british", "irish", "chinese", "indian"),
        ("{} Medical Centre", "{} Family Practice", "{} Clinic"),
        True,
    ),
}

CITIES: tuple[City, ...] = (
    City("Utrecht", "NL", "Europe/Amsterdam", 10, "35## @@", "+31 30 555 01 ##",
         ("Maliebaan", "Kanaalweg", "Vredenburg", "Museumlaan", "Biltstraat", "Oudegracht"),
         ("Wittevrouwen", "Lombok", "Oog in Al", "Tuindorp", "Wilhelmina", "Zuilen")),
    City("Amsterdam", "NL", "Europe/Amsterdam", 9, "10## @@", "+31 20 555 01 ##",
         ("Prinsengracht", "Overtoom", "Ceintuurbaan", "Linnaeusstraat", "Plantage Middenlaan"),
         ("De Pijp", "Jordaan", "Oud-West", "Watergraafsmeer", "IJburg", "Rivierenbuurt")),
    City("Rotterdam", "NL", "Europe/Amsterdam", 6, "30## @@", "+31 10 555 01 ##",
         ("Mathenesserlaan", "Coolsingel", "Bergweg", "Kralingse Plaslaan", "Witte de Withstraat"),
         ("Kralingen", "Delfshaven", "Blijdorp", "Feijenoord", "Hillegersberg")),
    City("Eindhoven", "NL", "Europe/Amsterdam", 3, "56## @@", "+31 40 555 01 ##",
         ("Boschdijk", "Stratumsedijk", "Geldropseweg", "Kruisstraat"),
         ("Strijp", "Woensel", "Gestel", "Tongelre")),
    City("Antwerp", "BE", "Europe/Brussels", 4, "20#0", "+32 3 555 01 ##",
         ("Mechelsesteenweg", "Nationalestraat", "Belgiëlei", "Turnhoutsebaan", "Italiëlei"),
         ("Zurenborg", "Het Zuid", "Eilandje", "Berchem", "Borgerhout")),
    City("Berlin", "DE", "Europe/Berlin", 7, "10###", "+49 30 23125 ###",
         ("Kastanienallee", "Bergmannstraße", "Kantstraße", "Torstraße", "Sonnenallee"),
         ("Prenzlauer Berg", "Kreuzberg", "Moabit", "Charlottenburg", "Neukölln")),
    City("Hamburg", "DE", "Europe/Berlin", 4, "20###", "+49 40 66969 ###",
         ("Osterstraße", "Eppendorfer Weg", "Mönckebergstraße", "Schanzenstraße"),
         ("Eimsbüttel", "Altona", "Winterhude", "Ottensen")),
    City("Munich", "DE", "Europe/Berlin", 4, "80###", "+49 89 99998 ###",
         ("Leopoldstraße", "Lindwurmstraße", "Sendlinger Straße", "Nymphenburger Straße"),
         ("Schwabing", "Haidhausen", "Giesing", "Neuhausen")),
    City("London", "GB", "Europe/London", 9, "SE# #@@", "+44 20 7946 0###",
         ("Lordship Lane", "Harley Street", "Tooley Street", "Clapham High Street", "Upper Street",
          "Wimpole Street"),
         ("Dulwich", "Bermondsey", "Greenwich", "Camberwell", "Islington", "Blackheath")),
    City("Manchester", "GB", "Europe/London", 4, "M# #@@", "+44 161 496 0###",
         ("Deansgate", "Oxford Road", "Wilmslow Road", "Great Ancoats Street"),
         ("Didsbury", "Chorlton", "Ancoats", "Withington")),
    City("Edinburgh", "GB", "Europe/London", 3, "EH# #@@", "+44 131 496 0###",
         ("Leith Walk", "Morningside Road", "Dundas Street", "Nicolson Street"),
         ("Stockbridge", "Marchmont", "Leith", "Bruntsfield")),
    City("Dublin", "IE", "Europe/Dublin", 4, "D0# @#@#", "+353 1 555 01##",
         ("Baggot Street", "Rathmines Road", "Dorset Street", "Merrion Square"),
         ("Ranelagh", "Phibsborough", "Drumcondra", "Ballsbridge")),
    City("Lisbon", "PT", "Europe/Lisbon", 6, "1#00-0##", "+351 21 555 01##",
         ("Avenida da Liberdade", "Rua da Prata", "Avenida de Roma", "Rua Ferreira Borges",
          "Avenida Almirante Reis"),
         ("Campo de Ourique", "Alvalade", "Estrela", "Arroios", "Belém")),
    City("Porto", "PT", "Europe/Lisbon", 3, "4#00-0##", "+351 22 555 01##",
         ("Rua de Santa Catarina", "Avenida da Boavista", "Rua de Cedofeita"),
         ("Cedofeita", "Boavista", "Foz do Douro")),
    City("Madrid", "ES", "Europe/Madrid", 5, "280##", "+34 91 555 01 ##",
         ("Calle de Alcalá", "Calle de Serrano", "Calle de Fuencarral", "Paseo de la Castellana"),
         ("Chamberí", "Salamanca", "Lavapiés", "Retiro", "Malasaña")),
    City("Paris", "FR", "Europe/Paris", 6, "7501#", "+33 1 99 00 ## ##",
         ("rue de Rivoli", "avenue Parmentier", "rue des Martyrs", "boulevard Voltaire",
          "rue de Vaugirard"),
         ("Belleville", "Montmartre", "Bastille", "Batignolles", "Montparnasse")),
    City("New York", "US", "America/New_York", 8, "100##", "+1 212 555 01##",
         ("Lexington Avenue", "West 72nd Street", "Court Street", "Amsterdam Avenue",
          "Hudson Street", "East 86th Street"),
         ("Gramercy", "Chelsea", "Harlem", "Park Slope", "Astoria", "Murray Hill")),
    City("Boston", "US", "America/New_York", 4, "021##", "+1 617 555 01##",
         ("Boylston Street", "Tremont Street", "Beacon Street", "Centre Street"),
         ("Back Bay", "Beacon Hill", "Jamaica Plain", "South End")),
    City("Chicago", "US", "America/Chicago", 4, "606##", "+1 312 555 01##",
         ("North Clark Street", "West Belmont Avenue", "South Michigan Avenue", "Damen Avenue"),
         ("Lincoln Park", "Wicker Park", "Hyde Park", "Lakeview")),
    City("Bengaluru", "IN", "Asia/Kolkata", 5, "5600##", "+91 80 5550 01##",
         ("MG Road", "100 Feet Road", "Brigade Road", "Sampige Road"),
         ("Indiranagar", "Koramangala", "Jayanagar", "Malleswaram", "Whitefield")),
    City("Mumbai", "IN", "Asia/Kolkata", 3, "4000##", "+91 22 5550 01##",
         ("Linking Road", "Hill Road", "LBS Marg"),
         ("Bandra", "Andheri", "Dadar", "Powai")),
    City("Nairobi", "KE", "Africa/Nairobi", 4, "00#00", "+254 20 555 01##",
         ("Ngong Road", "Argwings Kodhek Road", "Limuru Road", "Moi Avenue"),
         ("Kilimani", "Westlands", "Parklands", "Karen")),
    City("Sydney", "AU", "Australia/Sydney", 4, "20##", "+61 2 5550 01##",
         ("Macquarie Street", "King Street", "Crown Street", "Military Road"),
         ("Newtown", "Surry Hills", "Mosman", "Glebe")),
)  # fmt: skip

DIRECTIONS = (
    "Second floor, lift, step-free entrance",
    "Ground floor, step-free entrance",
    "First floor, lift at the back",
    "Entrance through the courtyard",
    "Opposite the station, ring twice",
    "Above the pharmacy, lift to the left",
    "",
)
