"""Names of invented people, by where their families come from."""

from random import Random
from typing import NamedTuple

from django.utils.text import slugify


class PersonName(NamedTuple):
    first: str
    last: str

    @property
    def full(self) -> str:
        return f"{self.first} {self.last}"

    @property
    def slug(self) -> str:
        return slugify(self.full.translate(_WITHOUT_ACCENT))


# Letters that Unicode does not split into a base and an accent.
_WITHOUT_ACCENT = str.maketrans({"ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "ı": "i", "ß": "ss"})

_FIRST: dict[str, str] = {
    "dutch": "Anouk Bram Daan Eva Femke Finn Floor Iris Jeroen Joost Koen Lotte Maarten Mark Niels"
    " Pieter Rosa Sanne Sem Tess Thijs Tom Willemijn Wouter",
    "german": "Anke Anton Clara Dieter Emil Franziska Greta Hannah Jonas Katrin Lukas Marlene"
    " Matthias Nele Paul Stefan Theresa Ulrike Uwe Wiebke",
    "british": "Alice Beatrice Charlotte Edward George Grace Harriet Henry Imogen Isaac James Lucy"
    " Oliver Philippa Robert Rosemary Simon Thomas Victoria William",
    "irish": "Aoife Brendan Cathal Ciara Cormac Declan Eoin Fiona Gráinne Liam Maeve Niamh Oisín"
    " Orla Padraig Róisín Sean Siobhán",
    "portuguese": "Afonso Beatriz Catarina Diogo Duarte Filipa Francisco Inês Joana João Leonor"
    " Luís Mafalda Margarida Miguel Nuno Rita Rui Sofia Tomás",
    "spanish": "Alba Álvaro Carmen Diego Elena Gonzalo Inés Irene Javier Jorge Lucía Manuel Marina"
    " Marta Mateo Nuria Pablo Pilar Raquel Sergio",
    "french": "Adèle Antoine Camille Chloé Claire Élise Étienne Gabriel Hugo Jules Laure Léa Louis"
    " Margaux Mathilde Nathalie Olivier Pauline Rémi Théo",
    "turkish": "Ahmet Aylin Burak Deniz Ebru Elif Emre Hakan Leyla Mehmet Melis Murat Selin Serkan"
    " Yusuf Zeynep",
    "arabic": "Amina Bilal Dina Fatima Hassan Ibrahim Karim Khadija Layla Mariam Nabil Nadia Noor"
    " Omar Rania Ruth Salma Samir Tarik Yasmin",
    "polish": "Agnieszka Aleksander Ewa Grzegorz Jan Joanna Kasia Katarzyna Magdalena Marek Michał"
    " Paweł Piotr Saskia Tomasz Zofia",
    "indian": "Aarav Aditi Ananya Arjun Deepa Divya Ishaan Kavya Lakshmi Meera Neha Nikhil Priya"
    " Rahul Ravi Rohan Sanjay Shreya Sunita Vikram",
    "kenyan": "Achieng Akinyi Baraka Faith Grace Jomo Joseph Kamau Kevin Mercy Mumbi Mwangi Njeri"
    " Otieno Peter Wanjiru Wambui Zawadi",
    "nigerian": "Adaeze Ade Chidi Chioma Emeka Funke Ifeoma Kemi Kofi Kwame Ngozi Obinna Sade Tunde"
    " Uche Yemi",
    "chinese": "Chen Fang Hui Jian Jing Li Lin Mei Maya Ming Qiang Wei Xiu Yan Ying Zhen",
}

_LAST: dict[str, str] = {
    "dutch": "Bakker|Bos|de Boer|de Groot|de Vries|de Wit|Dekker|Dijkstra|Evers|Hendriks|Hoekstra"
    "|Jacobs|Janssen|Koster|Kuipers|Meijer|Mulder|Peeters|Peters|Smit|van Dam|van den Berg"
    "|van Dijk|van Leeuwen|Verhoeven|Vermeulen|Vos|Willems",
    "german": "Becker|Braun|Fischer|Hartmann|Hoffmann|Keller|Klein|Koch|Krüger|Lange|Lehmann"
    "|Meyer|Neumann|Richter|Schäfer|Schneider|Schröder|Schulz|Wagner|Weber|Winkler|Zimmermann",
    "british": "Ashworth|Barker|Bennett|Carter|Clarke|Dawson|Edwards|Fletcher|Foster|Harrison"
    "|Hughes|Marsh|Mitchell|Palmer|Pearce|Reid|Shaw|Stewart|Turner|Walsh|Watson|Whitfield",
    "irish": "Brennan|Burke|Byrne|Connolly|Doyle|Farrell|Fitzgerald|Gallagher|Healy|Kavanagh"
    "|Keane|McCarthy|Murphy|Nolan|O'Brien|O'Connor|O'Sullivan|Quinn|Ryan|Sheehan",
    "portuguese": "Almeida|Azevedo|Barbosa|Carvalho|Correia|Costa|Duarte|Ferreira|Fonseca|Gomes"
    "|Lopes|Marques|Matos|Mendes|Monteiro|Moreira|Pinto|Ribeiro|Rocha|Tavares|Teixeira",
    "spanish": "Álvarez|Blanco|Castro|Delgado|Domínguez|Fuentes|García|Gutiérrez|Herrera|Jiménez"
    "|Marín|Molina|Navarro|Ortega|Ramos|Romero|Rubio|Santos|Serrano|Torres|Vega",
    "french": "Bernard|Blanc|Bonnet|Chevalier|David|Dubois|Faure|Fontaine|Garnier|Girard|Lambert"
    "|Laurent|Lefèvre|Martin|Mercier|Moreau|Perrin|Renaud|Rousseau|Roux|Simon",
    "turkish": "Arslan|Aydın|Çelik|Demir|Doğan|Kaya|Kılıç|Koç|Öztürk|Polat|Şahin|Yalçın|Yıldız"
    "|Yılmaz",
    "arabic": "Amrani|Bennani|Benali|el Idrissi|el Mansouri|Farouk|Haddad|Hamdi|Khalil|Mansour"
    "|Nasser|Rahmani|Saidi|Toumi|Youssef|Ziani",
    "polish": "Kowalski|Lewandowski|Kamiński|Wójcik|Mazur|Nowak|Pawlak|Piotrowski|Sikora"
    "|Szymański|Wiśniewski|Woźniak|Zając|Zieliński",
    "indian": "Bhat|Chaudhary|Desai|Gupta|Iyer|Joshi|Kapoor|Kulkarni|Mehta|Menon|Mukherjee|Nair"
    "|Patel|Rao|Reddy|Shah|Sharma|Singh|Verma",
    "kenyan": "Barasa|Chebet|Gitau|Kariuki|Kibet|Kimani|Kiprono|Maina|Muthoni|Mutua|Ndegwa"
    "|Njoroge|Ochieng|Odhiambo|Okoth|Omondi|Onyango|Wafula",
    "nigerian": "Abiola|Adebayo|Adeyemi|Afolabi|Balogun|Eze|Ibe|Mensah|Nwosu|Obi|Okafor|Okeke"
    "|Okonkwo|Olaniyan|Owusu|Boateng",
    "chinese": "Chan|Cheng|Chow|Feng|Gao|Huang|Lau|Liang|Liu|Luo|Ma|Tang|Wang|Wong|Wu|Xu|Yang"
    "|Zhang|Zhao|Zhou",
}

ORIGINS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    origin: (tuple(_FIRST[origin].split()), tuple(_LAST[origin].split("|"))) for origin in _FIRST
}
_NAMES = sorted(ORIGINS)


def draw_name(rng: Random, *, origins: tuple[str, ...]) -> PersonName:
    """Mostly from the country's origins, sometimes from anywhere, as in any city."""
    origin = rng.choice(origins) if rng.random() < 0.8 else rng.choice(_NAMES)
    first, last = ORIGINS[origin]
    return PersonName(rng.choice(first), rng.choice(last))
